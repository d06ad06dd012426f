//! Numbers in: the proxies, read every interval.
