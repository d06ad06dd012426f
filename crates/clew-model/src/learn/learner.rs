//! What many templates of one service teach: positions at which siblings keep growing.

use super::class::is_placeholder;
use super::{FOLD, MAX_SEGMENTS, MAX_TEMPLATE_BYTES, NAME};
use std::borrow::Cow;
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// Every segment of a template may have become a `{name}`.
const MAX_PATTERN_BYTES: usize = MAX_TEMPLATE_BYTES + MAX_SEGMENTS * NAME.len();

/// When a position counts as growing, and how much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnerLimits {
    /// Distinct literal children of one prefix before they collapse.
    pub siblings: usize,
    /// The same for the first segment of paths, which names the resources of an API: many services
    /// have more than a few, and to collapse them costs more than anywhere else.
    pub top_level: usize,
    /// Segments that are remembered in all. Past it the deepest positions fold into `/…`.
    pub nodes: usize,
}

impl Default for LearnerLimits {
    fn default() -> Self {
        Self {
            siblings: 30,
            top_level: 100,
            nodes: 2_048,
        }
    }
}

/// Learned positions of one service, in one process.
///
/// It is asked for templates that the caller has not seen before; a cache of the answers, valid for
/// one [`Learner::version`], belongs in front of it.
///
/// What is learned is a set of patterns: `/tags/{name}` says that below `/tags` every literal is
/// data, `/files/…` that nothing below `/files` is told apart. Sets of several instances
/// [merge](Learner::merge) to the same whatever the order and however often, as long as they stay within
/// [`LearnerLimits::nodes`]. What was learned is never unlearned.
#[derive(Clone, Debug, Default)]
pub struct Learner {
    root: Node,
    /// Segments below the root.
    nodes: usize,
    limits: LearnerLimits,
    version: u64,
}

/// One segment, and what is known of those that follow it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    shape: Shape,
    children: BTreeMap<Box<str>, Node>,
}

/// In the order in which a position loses detail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    /// Children are told apart.
    #[default]
    Open,
    /// Literal children are one, [`NAME`]; placeholders stay.
    Collapsed,
    /// No children are told apart, at any depth.
    Folded,
}

impl Learner {
    /// Nothing learned yet.
    pub fn new(limits: LearnerLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Grows with every change of what has been learned: answers that were given before it are stale.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Learns from a template that the caller has not seen, and says what to use in its place.
    ///
    /// Do not admit what the server did not know (404, 405): the paths that a scanner tries grow
    /// without end, and would collapse the positions of real routes.
    pub fn admit<'t>(&mut self, template: &'t str) -> Cow<'t, str> {
        if let Some(segments) = template.strip_prefix('/') {
            self.grow(segments, Shape::Open);
        }
        self.apply(template)
    }

    /// What to use in place of a template: literals under collapsed positions replaced. Learns nothing,
    /// and allocates only when there is something to replace.
    pub fn apply<'t>(&self, template: &'t str) -> Cow<'t, str> {
        let Some(segments) = template.strip_prefix('/') else {
            return Cow::Borrowed(template);
        };
        let mut position = Some(&self.root);
        let mut done = 0;
        let mut rewritten: Option<String> = None;
        for segment in segments.split('/').filter(|segment| !segment.is_empty()) {
            let shape = position.map_or(Shape::Open, |node| node.shape);
            let name = match shape {
                Shape::Folded => FOLD,
                shape => shape.name_of(segment),
            };
            if name != segment && rewritten.is_none() {
                rewritten = Some(template[..done].to_owned());
            }
            if let Some(rewritten) = &mut rewritten {
                rewritten.push('/');
                rewritten.push_str(name);
            }
            if name == FOLD {
                return rewritten.map_or(Cow::Borrowed(template), Cow::Owned);
            }
            done += 1 + segment.len();
            position = position.and_then(|node| node.children.get(name));
        }
        match rewritten {
            None => Cow::Borrowed(template),
            Some(mut rewritten) => {
                if template.ends_with('/') {
                    rewritten.push('/');
                }
                Cow::Owned(rewritten)
            }
        }
    }

    /// Everything learned so far, for other instances: templates that end in `/{name}` or `/…`, sorted.
    pub fn learned(&self) -> Vec<String> {
        let mut patterns = Vec::new();
        self.root.collect(&mut String::new(), &mut patterns);
        patterns
    }

    /// Takes over what other instances have learned. True when that was news. What is no pattern is
    /// ignored.
    pub fn merge<P: AsRef<str>>(&mut self, patterns: impl IntoIterator<Item = P>) -> bool {
        let before = self.version;
        for pattern in patterns {
            let pattern = pattern.as_ref();
            let parts = pattern.rsplit_once('/').filter(|_| is_pattern(pattern));
            match parts {
                Some((prefix, NAME)) => self.grow(prefix.trim_start_matches('/'), Shape::Collapsed),
                Some((prefix, FOLD)) => self.grow(prefix.trim_start_matches('/'), Shape::Folded),
                _ => {}
            }
        }
        self.version != before
    }

    /// Remembers the segments and makes the last one at least of this shape.
    fn grow(&mut self, segments: &str, shape: Shape) {
        let mut changed = false;
        let mut limit = self.limits.top_level;
        let mut node = &mut self.root;
        for segment in segments.split('/').filter(|segment| !segment.is_empty()) {
            if node.shape == Shape::Folded || segment == FOLD {
                break;
            }
            let mut name = node.shape.name_of(segment);
            if !node.children.contains_key(name) {
                node.children.insert(name.into(), Node::default());
                self.nodes += 1;
                if node.collapse_if_more_than(limit, self.limits.siblings) {
                    changed = true;
                    name = node.shape.name_of(segment);
                }
            }
            limit = self.limits.siblings;
            node = node.children.entry(name.into()).or_default();
        }
        changed |= node.raise(shape, self.limits.siblings);
        if changed {
            self.nodes = self.root.count();
        }
        while self.nodes > self.limits.nodes {
            self.root.fold_one();
            self.nodes = self.root.count();
            changed = true;
        }
        self.version += u64::from(changed);
    }
}

/// A template of this module's making that says something of a position.
fn is_pattern(pattern: &str) -> bool {
    pattern.starts_with('/')
        && pattern.len() <= MAX_PATTERN_BYTES
        && pattern.split('/').count() <= MAX_SEGMENTS + 2
}

impl Shape {
    /// What a child is called at a position of this shape.
    fn name_of(self, segment: &str) -> &str {
        match self {
            Self::Collapsed if segment != FOLD && !is_placeholder(segment) => NAME,
            _ => segment,
        }
    }
}

impl Node {
    /// Literal children past the limit become one. True when that happened now.
    fn collapse_if_more_than(&mut self, limit: usize, siblings: usize) -> bool {
        let literals = self.children.keys().filter(|name| !is_placeholder(name));
        self.shape == Shape::Open
            && literals.count() > limit
            && self.raise(Shape::Collapsed, siblings)
    }

    /// Makes it at least of this shape. True when it was not.
    fn raise(&mut self, shape: Shape, siblings: usize) -> bool {
        if self.shape >= shape {
            return false;
        }
        self.shape = shape;
        for (name, child) in std::mem::take(&mut self.children) {
            self.adopt(name, child, siblings);
        }
        true
    }

    /// Takes a child in, under the name that children have here.
    fn adopt(&mut self, name: Box<str>, child: Node, siblings: usize) {
        if self.shape == Shape::Folded {
            return;
        }
        let name = match self.shape.name_of(&name) {
            own if own == &*name => name,
            own => own.into(),
        };
        match self.children.get_mut(&name) {
            Some(there) => there.join(child, siblings),
            None => {
                self.children.insert(name, child);
            }
        }
    }

    /// Becomes what both were: the union of their children, and the coarser shape.
    fn join(&mut self, other: Node, siblings: usize) {
        self.raise(other.shape, siblings);
        for (name, child) in other.children {
            self.adopt(name, child, siblings);
        }
        self.collapse_if_more_than(siblings, siblings);
    }

    /// Segments remembered below.
    fn count(&self) -> usize {
        self.children.values().map(|child| 1 + child.count()).sum()
    }

    /// Number of segments on the longest way down.
    fn height(&self) -> usize {
        self.children
            .values()
            .map(|child| 1 + child.height())
            .max()
            .unwrap_or(0)
    }

    /// Folds one position: of those that are farthest down, the one with most children. Deep and wide
    /// is how files and keys look, not routes.
    fn fold_one(&mut self) {
        let depth = self.height().saturating_sub(1);
        let width = self.width_at(depth);
        self.fold_first(depth, width);
    }

    /// Most children that a position at this depth has.
    fn width_at(&self, depth: usize) -> usize {
        match depth {
            0 => self.children.len(),
            _ => {
                let widths = self
                    .children
                    .values()
                    .map(|child| child.width_at(depth - 1));
                widths.max().unwrap_or(0)
            }
        }
    }

    /// Folds the first position at this depth that is this wide.
    fn fold_first(&mut self, depth: usize, width: usize) -> bool {
        if depth > 0 {
            return self
                .children
                .values_mut()
                .any(|child| child.fold_first(depth - 1, width));
        }
        let is_it = self.children.len() == width;
        if is_it {
            self.shape = Shape::Folded;
            self.children.clear();
        }
        is_it
    }

    fn collect(&self, path: &mut String, patterns: &mut Vec<String>) {
        match self.shape {
            Shape::Open => {}
            Shape::Collapsed => patterns.push(format!("{path}/{NAME}")),
            Shape::Folded => patterns.push(format!("{path}/{FOLD}")),
        }
        for (name, child) in &self.children {
            let length = path.len();
            path.push('/');
            path.push_str(name);
            child.collect(path, patterns);
            path.truncate(length);
        }
    }
}
