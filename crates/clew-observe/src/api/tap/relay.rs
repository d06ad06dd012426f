//! The streams of many members as one.

use super::TapParameters;
use super::member::{self, News};
use super::pace::Pace;
use clew_api::client::Instance;
use clew_api::rest::tap::{TapLine, TapSkipped, TapWatching};
use clew_model::name::InstanceId;
use clew_runtime::drain::DrainWatch;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_stream::StreamMap;

/// Where it stands with one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contact {
    Asked,
    Reached,
    Lost,
}

/// A member that is watched.
struct Watched {
    address: SocketAddr,
    contact: Contact,
}

/// All members that match, those that come included.
pub(super) struct Relay {
    asked: TapParameters,
    members: watch::Receiver<Option<Vec<Instance>>>,
    drain: DrainWatch,
    watched: BTreeMap<InstanceId, Watched>,
    streams: StreamMap<InstanceId, BoxStream<'static, News>>,
    pace: Pace,
    seconds: Interval,
    told: Option<TapWatching>,
}

impl Relay {
    pub(super) fn new(
        asked: TapParameters,
        members: watch::Receiver<Option<Vec<Instance>>>,
        drain: DrainWatch,
    ) -> Self {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut relay = Self {
            pace: Pace::new(asked.max_rps),
            asked,
            members,
            drain,
            watched: BTreeMap::new(),
            streams: StreamMap::new(),
            seconds,
            told: None,
        };
        relay.follow();
        relay
    }

    /// The next line; `None` when the mesh ends. Nothing is lost when it is not awaited to its end.
    pub(super) async fn next_line(&mut self) -> Option<TapLine> {
        loop {
            if let Some(watching) = self.news_of_members() {
                return Some(TapLine::Watching(watching));
            }
            tokio::select! {
                () = self.drain.started() => return None,
                Ok(()) = self.members.changed() => self.follow(),
                Some((id, news)) = self.streams.next() => match news {
                    News::Reached => self.note(&id, Contact::Reached),
                    News::Lost => self.note(&id, Contact::Lost),
                    News::Request(request, skipped) => {
                        if self.pace.admits(skipped) {
                            return Some(TapLine::Request(request));
                        }
                    }
                },
                _ = self.seconds.tick() => {
                    if let Some(requests) = self.pace.tick() {
                        return Some(TapLine::Skipped(TapSkipped { requests }));
                    }
                }
            }
        }
    }

    /// Asks who is new, forgets who is gone.
    fn follow(&mut self) {
        let members = self.members.borrow_and_update().clone().unwrap_or_default();
        let selected = members.iter().filter(|member| self.asked.selects(member));
        let now: BTreeMap<InstanceId, SocketAddr> = selected
            .filter_map(|member| Some((member.id.clone(), member.tap_address?)))
            .collect();
        let streams = &mut self.streams;
        self.watched.retain(|id, watched| {
            let stays = now.get(id) == Some(&watched.address);
            if !stays {
                streams.remove(id);
            }
            stays
        });
        for (id, address) in now {
            if !self.watched.contains_key(&id) {
                self.streams
                    .insert(id.clone(), member::watch(address, self.asked.request()));
                self.watched.insert(
                    id,
                    Watched {
                        address,
                        contact: Contact::Asked,
                    },
                );
            }
        }
    }

    fn note(&mut self, id: &InstanceId, contact: Contact) {
        if let Some(watched) = self.watched.get_mut(id) {
            watched.contact = contact;
        }
    }

    /// Who is watched, when that is news and nobody is still being asked.
    fn news_of_members(&mut self) -> Option<TapWatching> {
        let with = |contact| {
            let of = self
                .watched
                .iter()
                .filter(move |(_, watched)| watched.contact == contact);
            of.map(|(id, _)| id.to_string()).collect::<Vec<_>>()
        };
        if !with(Contact::Asked).is_empty() {
            return None;
        }
        let watching = TapWatching {
            instances: with(Contact::Reached),
            unreachable: with(Contact::Lost),
        };
        if self.told.as_ref() == Some(&watching) {
            return None;
        }
        self.told = Some(watching.clone());
        Some(watching)
    }
}
