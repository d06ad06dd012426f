use super::super::golden::tests::plain;
use super::*;
use clew_api::rest::check::Check;

#[test]
fn checks_say_what_was_found_and_what_to_do() {
    let check = |name: &str, status, found: &str, hint: Option<&str>| Check {
        name: name.to_owned(),
        status,
        found: found.to_owned(),
        hint: hint.map(str::to_owned),
    };
    let checks = Checks::new(vec![
        check("control", CheckStatus::Ok, "answers", None),
        check(
            "numbers",
            CheckStatus::Warn,
            "1 of 3 members cannot be read: books-1",
            Some("look at its log"),
        ),
        check(
            "store writes",
            CheckStatus::Fail,
            "nothing was written for 3 s",
            Some("look at the disk"),
        ),
    ]);
    insta::assert_snapshot!(plain(&render(&checks)), @r"
    √ control       answers
    ‼ numbers       1 of 3 members cannot be read: books-1
                    -> look at its log
    × store writes  nothing was written for 3 s
                    -> look at the disk
    Status: it does not work
    ");
    insta::assert_snapshot!(plain(&render(&Checks::new(Vec::new()))), @"Status: all is well");
}
