//! The data: authors and books made by code, the same in every run.

use serde::{Deserialize, Serialize};

/// Number of authors; ids are 1 to this.
pub const AUTHORS: u32 = 40;
/// Number of books; ids are 1 to this. Each author has the same number of them.
pub const BOOKS: u32 = 240;

const FIRST_NAMES: [&str; 8] = [
    "Ada", "Bruno", "Clara", "Dimitri", "Elena", "Farid", "Greta", "Hugo",
];
const LAST_NAMES: [&str; 5] = ["Marsh", "Okafor", "Lindqvist", "Tanaka", "Varga"];
const ADJECTIVES: [&str; 12] = [
    "Patient",
    "Hollow",
    "Crooked",
    "Silent",
    "Borrowed",
    "Salted",
    "Winter",
    "Burning",
    "Small",
    "Second",
    "Blue",
    "Unfinished",
];
const NOUNS: [&str; 10] = [
    "Harbour",
    "Thread",
    "Orchard",
    "Labyrinth",
    "Letter",
    "Machine",
    "River",
    "Key",
    "Garden",
    "Map",
];

/// An author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// 1 to [`AUTHORS`].
    pub id: u32,
    /// First and last name.
    pub name: String,
    /// Year of birth.
    pub born: u32,
}

/// A book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    /// 1 to [`BOOKS`].
    pub id: u32,
    /// Title; an edit changes it.
    pub title: String,
    /// Id of its author.
    pub author: u32,
    /// Year of publication.
    pub year: u32,
    /// Number of pages.
    pub pages: u32,
}

/// All authors, by id.
pub fn authors() -> Vec<Author> {
    (1..=AUTHORS)
        .map(|id| {
            let first = pick(&FIRST_NAMES, id);
            let last = pick(&LAST_NAMES, id / FIRST_NAMES.len() as u32);
            Author {
                id,
                name: format!("{first} {last}"),
                born: 1900 + (id * 17) % 95,
            }
        })
        .collect()
}

/// All books, by id.
pub fn books() -> Vec<Book> {
    (1..=BOOKS)
        .map(|id| {
            let adjective = pick(&ADJECTIVES, id);
            let noun = pick(&NOUNS, id / ADJECTIVES.len() as u32);
            Book {
                id,
                title: format!("The {adjective} {noun}"),
                author: 1 + id % AUTHORS,
                year: 1925 + (id * 31) % 100,
                pages: 80 + (id * 97) % 700,
            }
        })
        .collect()
}

/// Stars and number of readers of a book, or `None` where nobody has rated it.
pub fn rating(book: u32) -> Option<(f64, u32)> {
    let exists = (1..=BOOKS).contains(&book);
    let rated = exists && !book.is_multiple_of(17);
    rated.then(|| {
        (
            1.0 + f64::from((book * 13) % 41) / 10.0,
            3 + (book * 7) % 500,
        )
    })
}

fn pick<'a>(words: &[&'a str], index: u32) -> &'a str {
    words
        .get(index as usize % words.len())
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
