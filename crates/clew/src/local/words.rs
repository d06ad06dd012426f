//! A command line as text, split into words the way a shell would, and nothing more: quotes and
//! backslashes mean what they mean in a POSIX shell (2.2 Quoting), and whatever a shell would act on
//! is refused rather than passed on as a word that nobody meant.

/// Why a text is no command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WordsError {
    /// There is no word in it.
    #[error("at least one word")]
    Empty,
    /// A quote, or a backslash at the end.
    #[error("a closing {0}")]
    Unclosed(char),
    /// Something that only a shell can do.
    #[error("no {0} outside of single quotes; for a shell write [sh, -c, \"...\"]")]
    NeedsShell(char),
}

/// What a shell acts on outside of quotes.
const OPERATORS: &str = "|&;<>()`$*?#~";
/// What a shell acts on inside of double quotes.
const EXPANSIONS: &str = "$`";

/// Splits a command line into its words.
pub(crate) fn split(text: &str) -> Result<Vec<String>, WordsError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => take_single_quoted(&mut rest, word.get_or_insert_default())?,
            '"' => take_double_quoted(&mut rest, word.get_or_insert_default())?,
            '\\' => {
                let escaped = rest.next().ok_or(WordsError::Unclosed('\\'))?;
                word.get_or_insert_default().push(escaped);
            }
            // In the middle of a word these two are ordinary characters.
            '#' | '~' if word.is_some() => word.get_or_insert_default().push(character),
            operator if OPERATORS.contains(operator) => {
                return Err(WordsError::NeedsShell(operator));
            }
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    if words.is_empty() {
        Err(WordsError::Empty)
    } else {
        Ok(words)
    }
}

fn take_single_quoted(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), WordsError> {
    loop {
        match rest.next() {
            None => return Err(WordsError::Unclosed('\'')),
            Some('\'') => return Ok(()),
            Some(character) => word.push(character),
        }
    }
}

fn take_double_quoted(rest: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), WordsError> {
    loop {
        match rest.next() {
            None => return Err(WordsError::Unclosed('"')),
            Some('"') => return Ok(()),
            Some('\\') => match rest.next() {
                None => return Err(WordsError::Unclosed('"')),
                Some(escaped @ ('"' | '\\' | '$' | '`')) => word.push(escaped),
                Some(other) => word.extend(['\\', other]),
            },
            Some(expansion) if EXPANSIONS.contains(expansion) => {
                return Err(WordsError::NeedsShell(expansion));
            }
            Some(character) => word.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{WordsError, split};

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        let cases: [(&str, &[&str]); 8] = [
            ("python3 books.py", &["python3", "books.py"]),
            ("  a\t b\n", &["a", "b"]),
            ("'a b' \"c d\"", &["a b", "c d"]),
            (r#"a\ b "say \"hi\" \n""#, &["a b", r#"say "hi" \n"#]),
            ("'' x", &["", "x"]),
            ("--name='it'\"'\"'s'", &["--name=it's"]),
            ("awk '{ print $1 }'", &["awk", "{ print $1 }"]),
            ("a#b x~y", &["a#b", "x~y"]),
        ];
        for (text, words) in cases {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(split(text), Ok(words), "{text}");
        }
    }

    #[test]
    fn what_only_a_shell_can_do_is_refused() {
        for (text, character) in [
            ("npm ci && npm start", '&'),
            ("serve --port $PORT", '$'),
            ("serve --port \"$PORT\"", '$'),
            ("a | b", '|'),
            ("ls *.py", '*'),
            ("~/serve", '~'),
        ] {
            assert_eq!(
                split(text),
                Err(WordsError::NeedsShell(character)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_open_at_the_end_is_refused() {
        assert_eq!(split("a 'b"), Err(WordsError::Unclosed('\'')));
        assert_eq!(split("a \"b"), Err(WordsError::Unclosed('"')));
        assert_eq!(split("a \\"), Err(WordsError::Unclosed('\\')));
        assert_eq!(split("  "), Err(WordsError::Empty));
    }
}
