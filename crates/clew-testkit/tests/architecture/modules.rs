//! The top-level modules of a crate and how they import one another.
//!
//! Cargo allows circles between modules; a crate that has grown one can no longer be read from the bottom
//! up. Code under `cfg(test)` may look wherever it likes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, Meta, Token, UseTree};

use super::sources::Read;

/// Stands for items that are defined in the root file itself.
const ROOT: &str = "(root)";

/// Words that say nothing about what a thing is.
const VAGUE: [&str; 9] = [
    "manager", "helper", "helpers", "handler", "util", "utils", "common", "core", "misc",
];

/// Who imports whom in one crate.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// From module, to module, and one place where the import stands.
    edges: BTreeMap<String, BTreeMap<String, String>>,
    /// What keeps the graph from being known.
    pub(crate) problems: Vec<String>,
    /// Types and modules with a vague name.
    pub(crate) vague_names: Vec<String>,
}

impl Graph {
    /// Reads a crate from its root file.
    pub(crate) fn load(root: &Path, read: &Read<'_>) -> Self {
        let mut graph = Graph::default();
        let Some(file) = parse(root, read, &mut graph.problems) else {
            return graph;
        };
        let names = RootNames::of(&file.items);
        let mut reader = Reader {
            graph: &mut graph,
            names: &names,
            read,
            file: root.to_owned(),
            folder: root.parent().unwrap_or(Path::new("")).to_owned(),
            module: Vec::new(),
        };
        reader.visit_file(&file);
        graph
    }

    /// Pairs of modules of which one imports the other.
    pub(crate) fn imports(&self) -> usize {
        self.edges.values().map(BTreeMap::len).sum()
    }

    /// Every circle, spelled out; one per set of modules.
    pub(crate) fn circles(&self) -> Vec<String> {
        let mut known = BTreeSet::new();
        let mut circles = Vec::new();
        for start in self.edges.keys() {
            let Some(way) = self.way_back(start) else {
                continue;
            };
            let members: BTreeSet<&String> = way.iter().copied().collect();
            if known.insert(members) {
                circles.push(self.spell_out(&way));
            }
        }
        circles
    }

    /// The shortest way from a module back to itself.
    fn way_back<'g>(&'g self, start: &'g String) -> Option<Vec<&'g String>> {
        let mut came_from: BTreeMap<&String, &String> = BTreeMap::new();
        let mut next = VecDeque::from([start]);
        while let Some(module) = next.pop_front() {
            for to in self.edges.get(module).into_iter().flat_map(BTreeMap::keys) {
                if to == start {
                    let mut way = vec![start];
                    let mut at = module;
                    while at != start {
                        way.insert(1, at);
                        at = came_from[at];
                    }
                    return Some(way);
                }
                if !came_from.contains_key(to) {
                    came_from.insert(to, module);
                    next.push_back(to);
                }
            }
        }
        None
    }

    fn spell_out(&self, way: &[&String]) -> String {
        let mut said = way[0].clone();
        for (i, from) in way.iter().enumerate() {
            let to = way[(i + 1) % way.len()];
            said.push_str(&format!(" -> {to} [{}]", self.edges[*from][to]));
        }
        said
    }
}

fn parse(file: &Path, read: &Read<'_>, problems: &mut Vec<String>) -> Option<syn::File> {
    let Some(text) = read(file) else {
        problems.push(format!("{} is not there", file.display()));
        return None;
    };
    match syn::parse_file(&text) {
        Ok(parsed) => Some(parsed),
        Err(error) => {
            problems.push(format!("{}: {error}", file.display()));
            None
        }
    }
}

/// What the names at the root of a crate stand for.
#[derive(Debug, Default)]
struct RootNames {
    modules: BTreeSet<String>,
    /// Imported or re-exported at the root: `crate::Name` means that module.
    imported: BTreeMap<String, String>,
    defined: BTreeSet<String>,
}

impl RootNames {
    fn of(items: &[Item]) -> Self {
        let mut names = RootNames::default();
        for item in items {
            if let Item::Mod(module) = item {
                names.modules.insert(module.ident.to_string());
            }
        }
        for item in items {
            match item {
                Item::Use(import) => {
                    for (path, name) in leaves(&import.tree) {
                        let first = path.iter().find(|part| !is_relative(part));
                        if let Some(module) = first.filter(|part| names.modules.contains(*part)) {
                            names.imported.insert(name, module.clone());
                        }
                    }
                }
                Item::Mod(_) => {}
                _ => names.defined.extend(name_of(item)),
            }
        }
        names
    }

    /// The top-level module that a path from the root leads to.
    fn module_of(&self, name: &str) -> Option<&str> {
        if let Some(module) = self.modules.get(name) {
            Some(module)
        } else if let Some(module) = self.imported.get(name) {
            Some(module)
        } else if self.defined.contains(name) {
            Some(ROOT)
        } else {
            None
        }
    }
}

fn is_relative(part: &str) -> bool {
    matches!(part, "crate" | "self" | "super")
}

fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

/// Every path that a `use` names, with the name that it is known by afterwards; `*` for all.
fn leaves(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    fn walk(tree: &UseTree, path: &mut Vec<String>, out: &mut Vec<(Vec<String>, String)>) {
        let mut leaf = |name: String, known_as: String| {
            let mut path = path.clone();
            if name != "self" {
                path.push(name);
            }
            let known_as = match known_as.as_str() {
                "self" => path.last().cloned().unwrap_or_default(),
                _ => known_as,
            };
            out.push((path, known_as));
        };
        match tree {
            UseTree::Name(name) => leaf(name.ident.to_string(), name.ident.to_string()),
            UseTree::Rename(name) => leaf(name.ident.to_string(), name.rename.to_string()),
            UseTree::Glob(_) => leaf("*".to_owned(), "*".to_owned()),
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                walk(&step.tree, path, out);
                path.pop();
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| walk(tree, path, out)),
        }
    }
    let mut out = Vec::new();
    walk(tree, &mut Vec::new(), &mut out);
    out
}

/// Walks the modules of a crate.
struct Reader<'a> {
    graph: &'a mut Graph,
    names: &'a RootNames,
    read: &'a Read<'a>,
    file: PathBuf,
    /// Where the files of child modules are.
    folder: PathBuf,
    module: Vec<String>,
}

impl Reader<'_> {
    /// Notes that the module that is being read names this path.
    fn note(&mut self, path: &[String]) {
        let Some(rooted) = self.rooted(path) else {
            return;
        };
        let here = self.module.first().map_or(ROOT, String::as_str);
        let Some(first) = rooted.first() else {
            return;
        };
        let place = format!("{}: {}", self.file.display(), path.join("::"));
        if first == "*" {
            self.graph.problems.push(format!(
                "{place} imports the whole root: name what is meant"
            ));
            return;
        }
        if let Some(to) = self.names.module_of(first).filter(|to| *to != here) {
            let edges = self.graph.edges.entry(here.to_owned()).or_default();
            edges.entry(to.to_owned()).or_insert(place);
        }
    }

    /// The path from the crate's root; `None` for paths into other crates and for local names.
    fn rooted(&self, path: &[String]) -> Option<Vec<String>> {
        let mut base = self.module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                base.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {}
            first if base.is_empty() && self.names.modules.contains(first) => {}
            _ => return None,
        }
        while rest.first().is_some_and(|part| part == "super") {
            base.pop()?;
            rest = &rest[1..];
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    fn note_vague(&mut self, ident: &syn::Ident) {
        let name = ident.to_string();
        if words(&name)
            .iter()
            .any(|word| VAGUE.contains(&word.as_str()))
        {
            self.graph
                .vague_names
                .push(format!("{}: {name}", self.file.display()));
        }
    }

    /// Paths in the arguments of a macro, which are tokens to the parser.
    fn note_tokens(&mut self, tokens: &str) {
        let parts: Vec<&str> = tokens
            .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
            .filter(|part| !part.is_empty())
            .collect();
        for part in parts {
            let path: Vec<String> = part.split("::").map(str::to_owned).collect();
            if path.len() > 1 && is_relative(&path[0]) {
                self.note(&path);
            }
        }
    }

    /// The file that holds a module's code, and the folder where its own children are.
    fn file_of(&self, module: &ItemMod) -> (PathBuf, PathBuf) {
        let name = module.ident.to_string();
        if module.content.is_some() {
            return (self.file.clone(), self.folder.join(name));
        }
        if let Some(path) = module.attrs.iter().find_map(path_attribute) {
            let beside = self.file.parent().unwrap_or(Path::new(""));
            let file = beside.join(path);
            let folder = file.parent().unwrap_or(beside).to_owned();
            return (file, folder);
        }
        let folder = self.folder.join(&name);
        let file = match folder.join("mod.rs") {
            file if (self.read)(&file).is_some() => file,
            _ => self.folder.join(format!("{name}.rs")),
        };
        (file, folder)
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if attributes_of(item).iter().any(is_for_tests) {
            return;
        }
        match item {
            // What the root imports and re-exports is its table of contents, not a dependency.
            Item::Use(_) if self.module.is_empty() => {}
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !function.attrs.iter().any(is_for_tests) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.note_vague(&module.ident);
        let (file, folder) = self.file_of(module);
        let outer_file = std::mem::replace(&mut self.file, file.clone());
        let outer_folder = std::mem::replace(&mut self.folder, folder);
        self.module.push(module.ident.to_string());
        if module.content.is_some() {
            visit::visit_item_mod(self, module);
        } else if let Some(parsed) = parse(&file, self.read, &mut self.graph.problems) {
            // Parsed code does not outlive this call, so it is walked by a reader of its own.
            Reader {
                graph: self.graph,
                names: self.names,
                read: self.read,
                file,
                folder: self.folder.clone(),
                module: self.module.clone(),
            }
            .visit_file(&parsed);
        }
        self.module.pop();
        self.file = outer_file;
        self.folder = outer_folder;
    }

    fn visit_item_use(&mut self, import: &'ast syn::ItemUse) {
        for (path, _) in leaves(&import.tree) {
            self.note(&path);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        if parts.len() > 1 {
            self.note(&parts);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.note_tokens(&compact(&call.tokens.to_string()));
        visit::visit_macro(self, call);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.note_vague(&item.ident);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.note_vague(&item.ident);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.note_vague(&item.ident);
        visit::visit_item_trait(self, item);
    }
}

/// Tokens as text, without the spaces around `::`.
fn compact(tokens: &str) -> String {
    tokens
        .replace(" :: ", "::")
        .replace(":: ", "::")
        .replace(" ::", "::")
}

/// `HttpRequest_body` as `http`, `request`, `body`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_uppercase() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c != '_', words.last_mut()) {
            word.extend(c.to_lowercase());
        }
    }
    words
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// `cfg(test)`, alone or with other conditions beside it.
fn is_for_tests(attribute: &Attribute) -> bool {
    fn says_test(meta: &Meta) -> bool {
        match meta {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("all") => list
                .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                .is_ok_and(|conditions| conditions.iter().any(says_test)),
            _ => false,
        }
    }
    attribute.path().is_ident("cfg")
        && attribute
            .parse_args::<Meta>()
            .is_ok_and(|meta| says_test(&meta))
}

/// The file that `#[path = "..."]` names.
fn path_attribute(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(literal) => match &literal.lit {
                syn::Lit::Str(path) => Some(path.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

#[path = "modules_tests.rs"]
mod the_check_itself;
