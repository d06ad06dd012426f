//! The critical path.

use super::Tree;

impl Tree<'_> {
    /// The spans that a request waited for, from the one that stands for it, each with the nanoseconds of its own that
    /// are on the path. They add up to the duration of the first.
    ///
    /// Back from the end of a span: the child that ended last is what was waited for until then, from its start to its
    /// end; before its start, the child that had ended last by then, and so on. What is left is the span's own. A child
    /// that was still open when a later one on the path began had been overtaken: it delayed nothing from there on.
    pub(crate) fn path(&self, entry: usize) -> Vec<(usize, u64)> {
        let mut path = Vec::new();
        let mut open = vec![entry];
        while let Some(span) = open.pop() {
            let time = self.time(span);
            let mut children = self.children(span).to_vec();
            children.sort_by_key(|child| (self.time(*child).end, self.time(*child).start));
            let mut own = time.length();
            let mut until = time.end;
            for child in children.into_iter().rev() {
                let of_child = self.time(child);
                if of_child.end <= until && of_child.length() > 0 {
                    own -= of_child.length();
                    until = of_child.start;
                    open.push(child);
                }
            }
            path.push((span, own));
        }
        path
    }
}
