//! A trace hop by hop: one line for each request between two proxies, with both of their views of it.

use super::{Part, Tree, is_proxys};
use clew_trace::span::SpanKind;
use std::collections::HashMap;

/// A request from one workload to another. Times are in nanoseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    /// CLIENT span of the caller's proxy; `None` where the caller is outside of the mesh, or its span is not there.
    pub(crate) client: Option<usize>,
    /// SERVER span of the other proxy, as above.
    pub(crate) server: Option<usize>,
    /// Hops above it.
    pub(crate) depth: u32,
    /// From the head of the request to the end of its response, as the caller's proxy saw it, or the only one.
    pub(crate) total: u64,
    /// Work of the caller's proxy, and its waits.
    pub(crate) client_proxy: (u64, u64),
    /// The time on the caller's side less that on the server's, and less the above. `None` where only one is there.
    pub(crate) between: Option<u64>,
    /// Work of the server's proxy, and its waits.
    pub(crate) server_proxy: (u64, u64),
    /// What is left for the server's application when what it waited for from others is taken out.
    pub(crate) application: Option<u64>,
    /// Of the duration of the whole trace: what belongs to this hop and to none below it.
    pub(crate) on_path: u64,
    /// What the clock of the server is wrong by at least, against the caller's.
    pub(crate) skew: i128,
}

impl Tree<'_> {
    /// The hops, each below the one that it was made for.
    pub(crate) fn hops(&self) -> Vec<Hop> {
        let mut own: HashMap<usize, u64> = HashMap::new();
        for root in (0..self.len()).filter(|span| self.parent(*span).is_none()) {
            own.extend(self.path(root));
        }
        let mut hops = Vec::new();
        let mut open: Vec<(usize, u32)> = (0..self.len())
            .rev()
            .filter(|span| self.parent(*span).is_none())
            .map(|span| (span, 0))
            .collect();
        while let Some((span, depth)) = open.pop() {
            let mut below = depth;
            if self.begins_hop(span) {
                hops.push(self.hop(span, depth, &own));
                below += 1;
            }
            let mut children = self.children(span).to_vec();
            children.sort_by_key(|child| std::cmp::Reverse(self.time(*child).start));
            open.extend(children.into_iter().map(|child| (child, below)));
        }
        hops
    }

    /// A CLIENT span of a proxy, or a SERVER span that is not the answer to one.
    fn begins_hop(&self, index: usize) -> bool {
        let span = self.span(index);
        let is_answer = || {
            let asked = self.parent(index);
            let asked = asked.filter(|parent| is_proxys(self.span(*parent), SpanKind::Client));
            asked.and_then(|client| self.server_of(client)) == Some(index)
        };
        is_proxys(span, SpanKind::Client) || is_proxys(span, SpanKind::Server) && !is_answer()
    }

    fn hop(&self, first: usize, depth: u32, own: &HashMap<usize, u64>) -> Hop {
        let is_client = is_proxys(self.span(first), SpanKind::Client);
        let client = is_client.then_some(first);
        let server = if is_client {
            self.server_of(first)
        } else {
            Some(first)
        };
        let length = |span: usize| self.time(span).length();
        let total = length(first);
        let around = client.zip(server).map(|(client, server)| {
            let outside = length(client) - length(server).min(length(client));
            self.spent(client, outside)
        });
        // Without the server's view, its time is the rest.
        let alone = client.map(|client| self.spent(client, length(client)));
        let client_proxy = around
            .or(alone)
            .map_or((0, 0), |(work, wait, _)| (work, wait));
        let inside = server.map(|server| (server, self.spent(server, self.own_of(server))));
        // A gateway has no application.
        let inside_application = inside.filter(|(server, _)| self.time_of(*server).is_some());
        let of_span = |span| {
            let itself = own.get(&span).copied().unwrap_or_default();
            itself + self.libraries_below(span, own)
        };
        let on_path = [client, server].into_iter().flatten().map(of_span);
        Hop {
            client,
            server,
            depth,
            total,
            client_proxy,
            between: around.map(|(.., between)| between),
            server_proxy: inside.map_or((0, 0), |(_, (work, wait, _))| (work, wait)),
            application: inside_application.map(|(_, (.., rest))| rest),
            on_path: on_path.sum(),
            skew: server.map_or(0, |server| self.time(server).skew),
        }
    }

    /// What is left of a SERVER span when the time in which one of the calls for it was open is taken out. Of a call whose
    /// CLIENT span is not there, the server's span stands for it.
    fn own_of(&self, server: usize) -> u64 {
        let mut calls: Vec<_> = self
            .calls_below(server)
            .into_iter()
            .map(|call| self.time(call))
            .map(|time| (time.start, time.end))
            .collect();
        calls.sort_unstable();
        let time = self.time(server);
        let (mut own, mut until) = (0, time.start);
        for (start, end) in calls {
            own += (start - until).max(0);
            until = until.max(end);
        }
        own += (time.end - until).max(0);
        u64::try_from(own).unwrap_or_default().min(time.length())
    }

    /// What spans of libraries in the application have of the path.
    fn libraries_below(&self, top: usize, own: &HashMap<usize, u64>) -> u64 {
        let (libraries, _) = self.around(top);
        libraries.iter().filter_map(|span| own.get(span)).sum()
    }

    /// The nearest spans of proxies below one.
    fn calls_below(&self, top: usize) -> Vec<usize> {
        self.around(top).1
    }

    /// The spans of libraries below one, as far as the next spans of proxies; and those.
    fn around(&self, top: usize) -> (Vec<usize>, Vec<usize>) {
        let (mut libraries, mut of_proxies) = (Vec::new(), Vec::new());
        let mut open = self.children(top).to_vec();
        while let Some(index) = open.pop() {
            let span = self.span(index);
            if is_proxys(span, SpanKind::Client) || is_proxys(span, SpanKind::Server) {
                of_proxies.push(index);
            } else {
                libraries.push(index);
                open.extend(self.children(index));
            }
        }
        (libraries, of_proxies)
    }

    /// Whom a hop's client asks, where no span of the server is there.
    pub(crate) fn callee(&self, client: usize) -> Option<String> {
        let own = self.split(client, 0);
        let is_edge = |part| matches!(part, Part::Outside | Part::Unseen | Part::Network);
        own.into_iter()
            .find(|(owner, _)| is_edge(owner.part))
            .and_then(|(owner, _)| owner.to)
    }
}
