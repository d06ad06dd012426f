use super::*;

fn graph(files: &[(&str, &str)]) -> Graph {
    let files: BTreeMap<PathBuf, &str> = files
        .iter()
        .map(|(name, text)| (Path::new("src").join(name), *text))
        .collect();
    let read = |file: &Path| files.get(file).map(|text| (*text).to_owned());
    let graph = Graph::load(Path::new("src/lib.rs"), &read);
    assert_eq!(graph.problems, Vec::<String>::new());
    graph
}

fn circles(files: &[(&str, &str)]) -> Vec<String> {
    graph(files).circles()
}

/// `b` imports `a`; does `a`, with this text, close the circle?
fn closes(a: &str) -> bool {
    let b = "use crate::a::A; pub struct B(A);";
    let lib = "mod a; mod b; pub use b::B as Renamed; pub use b::*; pub struct Here;";
    !circles(&[("lib.rs", lib), ("a.rs", a), ("b.rs", b)]).is_empty()
}

#[test]
fn a_circle_is_spelled_out_with_the_imports_that_make_it() {
    let found = circles(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::{self, B};"),
        ("b.rs", "use crate::d::D; fn f() { super::c::g() }"),
        ("c.rs", "pub fn g() -> crate::a::A { todo() }"),
        ("d.rs", "pub struct D;"),
    ]);
    let circle = "a -> b [src/a.rs: crate::b] -> c [src/b.rs: super::c::g] \
                  -> a [src/c.rs: crate::a::A]";
    assert_eq!(found, [circle]);
}

#[test]
fn modules_without_a_circle_are_fine() {
    assert!(!closes("pub struct A;"));
    assert!(!closes(
        "use self::inner::X; mod inner { use super::Y; pub struct X; }"
    ));
    assert!(!closes("use std::fmt; fn f() { b::other_crate() }"));
    assert!(!closes(
        "pub(crate) struct A; pub(super) struct C; mod b { }"
    ));
}

#[test]
fn imports_are_found_however_they_are_written() {
    assert!(closes("use crate::b::B;"));
    assert!(closes("use crate::{b::B, other};"));
    assert!(closes("use super::b;"));
    assert!(closes("fn f(x: crate::b::B) {}"));
    assert!(closes("impl Iterator for A { type Item = crate::b::B; }"));
    assert!(closes("fn f() { let _ = super::b::f::<u8>(); }"));
    assert!(closes("fn f() { println!(\"{}\", crate::b::NAME); }"));
    assert!(closes("macro_rules! m { () => { $crate::b::f() } }"));
    assert!(closes("mod inner { fn f() { super::super::b::f() } }"));
    assert!(closes("mod inner { use crate::b::B; }"));
    assert!(closes("use crate::Renamed;"));
}

#[test]
fn tests_may_look_wherever_they_like() {
    assert!(!closes("#[cfg(test)] mod tests { use crate::b::B; }"));
    assert!(!closes("#[cfg(all(test, unix))] use crate::b::B;"));
    assert!(!closes("impl A { #[cfg(test)] fn f() { crate::b::f() } }"));
    assert!(closes("#[cfg(not(test))] use crate::b::B;"));
    assert!(closes("#[cfg(unix)] use crate::b::B;"));
}

#[test]
fn files_of_modules_are_found_where_rust_finds_them() {
    let found = circles(&[
        (
            "lib.rs",
            "mod a; #[path = \"elsewhere/b.rs\"] mod b; mod c { mod d; }",
        ),
        ("a/mod.rs", "mod deep;"),
        ("a/deep.rs", "mod deeper;"),
        ("a/deep/deeper.rs", "use crate::b::B;"),
        ("elsewhere/b.rs", "mod beside;"),
        ("elsewhere/beside.rs", "use crate::c::d::D;"),
        ("c/d.rs", "use crate::a;"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn an_item_of_the_root_that_uses_the_module_that_uses_it_is_a_circle() {
    let lib = "mod a; pub struct Here(a::A); ";
    assert_eq!(
        circles(&[("lib.rs", lib), ("a.rs", "use crate::Here;")]).len(),
        1
    );
    let lib = "mod a; pub use a::A; pub struct Here;";
    assert_eq!(
        circles(&[("lib.rs", lib), ("a.rs", "use crate::Here;")]).len(),
        0
    );
}

#[test]
fn what_cannot_be_known_is_a_problem_and_not_silence() {
    let load = |text: &'static str| {
        let read = move |file: &Path| (file == Path::new("src/lib.rs")).then(|| text.to_owned());
        Graph::load(Path::new("src/lib.rs"), &read).problems
    };
    assert_eq!(load("mod gone;"), ["src/gone.rs is not there"]);
    assert_eq!(load("mod a { use crate::*; }").len(), 1);
    assert_eq!(load("mod a { use super::*; }").len(), 1);
    assert_eq!(load("mod a { mod b { use super::*; } }").len(), 0);
    assert_eq!(load("fn (").len(), 1);
}

#[test]
fn vague_names_are_found_as_words_only() {
    let found = graph(&[(
        "lib.rs",
        "mod util {} mod utility {} struct TaskManager; struct Coreless; enum HTTPHandler {} \
         #[cfg(test)] mod helpers {} trait Score {}",
    )]);
    assert_eq!(
        found.vague_names,
        [
            "src/lib.rs: util",
            "src/lib.rs: TaskManager",
            "src/lib.rs: HTTPHandler"
        ]
    );
}
