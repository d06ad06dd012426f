//! Reports as a whole: hops in, scrapes out.

mod budget;
mod ends;
mod families;
mod formats;
mod idle;
mod streams;
