use super::{AUTHORS, BOOKS, authors, books, rating};

#[test]
fn every_author_has_the_same_number_of_books() {
    let books = books();
    assert_eq!(books.len(), BOOKS as usize);
    for author in authors() {
        let of_author = books.iter().filter(|book| book.author == author.id).count();
        assert_eq!(of_author, (BOOKS / AUTHORS) as usize, "{author:?}");
    }
}

#[test]
fn ids_are_positions_from_one() {
    assert!(books().iter().zip(1..).all(|(book, id)| book.id == id));
    assert!(
        authors()
            .iter()
            .zip(1..)
            .all(|(author, id)| author.id == id)
    );
}

#[test]
fn titles_and_names_are_told_apart() {
    let names: std::collections::HashSet<_> =
        authors().into_iter().map(|author| author.name).collect();
    assert_eq!(names.len(), AUTHORS as usize);
}

#[test]
fn ratings_are_within_their_bounds_and_missing_for_every_seventeenth() {
    assert_eq!(rating(17), None);
    assert_eq!(rating(0), None);
    assert_eq!(rating(BOOKS + 1), None);
    for book in (1..=BOOKS).filter(|id| id % 17 != 0) {
        let (stars, readers) = rating(book).unwrap_or_default();
        assert!(
            (1.0..=5.0).contains(&stars) && readers > 0,
            "{book}: {stars} {readers}"
        );
    }
}
