//! Redirection of a network namespace's connections into the proxy, as nftables rules.

use crate::arguments::Redirect;
use anyhow::{Context, bail};
use std::io::Write;
use std::process::{Command, Stdio};

/// Ports of the proxy that are reached from outside as they are: tap and admin.
const PROXY_PORTS: [u16; 2] = [4190, 4191];

/// Installs the rules in the current network namespace, in place of those of an earlier call.
pub(crate) fn apply(redirect: &Redirect) -> anyhow::Result<()> {
    let rules = rules(redirect);
    if redirect.print {
        print!("{rules}");
        return Ok(());
    }
    let mut nft = Command::new("nft")
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .context("nft cannot be run (Debian: package nftables)")?;
    let mut input = nft.stdin.take().context("nft takes no input")?;
    input
        .write_all(rules.as_bytes())
        .context("nft does not take the rules")?;
    drop(input);
    let status = nft.wait().context("nft")?;
    if !status.success() {
        bail!(
            "nft refused the rules ({status}); redirection needs root (CAP_NET_ADMIN) in the network namespace"
        );
    }
    Ok(())
}

/// The rules. The table is created, emptied and filled in one transaction, so that calling twice is the
/// same as calling once.
fn rules(redirect: &Redirect) -> String {
    let Redirect {
        inbound,
        outbound,
        proxy_uid,
        ..
    } = redirect;
    let skip_inbound = skip(PROXY_PORTS.iter().chain(&redirect.skip_inbound));
    let skip_outbound = skip(redirect.skip_outbound.iter());
    format!(
        "table inet clew\n\
         delete table inet clew\n\
         table inet clew {{\n\
         \tchain inbound {{\n\
         \t\ttype nat hook prerouting priority dstnat; policy accept;\n\
         \t\tiifname \"lo\" return\n\
         {skip_inbound}\
         \t\tmeta l4proto tcp redirect to :{inbound}\n\
         \t}}\n\
         \tchain outbound {{\n\
         \t\ttype nat hook output priority -100; policy accept;\n\
         \t\tmeta skuid {proxy_uid} return\n\
         \t\tip daddr 127.0.0.0/8 return\n\
         \t\tip6 daddr ::1 return\n\
         {skip_outbound}\
         \t\tmeta l4proto tcp redirect to :{outbound}\n\
         \t}}\n\
         }}\n"
    )
}

fn skip<'a>(ports: impl Iterator<Item = &'a u16>) -> String {
    let ports: Vec<String> = ports.map(u16::to_string).collect();
    if ports.is_empty() {
        String::new()
    } else {
        format!("\t\ttcp dport {{ {} }} return\n", ports.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxys_own_connections_and_loopback_are_let_through_first() {
        let redirect = Redirect {
            inbound: 4143,
            outbound: 4140,
            proxy_uid: 2102,
            skip_inbound: vec![22],
            skip_outbound: vec![],
            print: true,
        };
        let rules = rules(&redirect);
        let at = |text: &str| {
            rules
                .find(text)
                .unwrap_or_else(|| panic!("{text} is missing in\n{rules}"))
        };
        assert!(at("meta skuid 2102 return") < at("redirect to :4140"));
        assert!(at("ip daddr 127.0.0.0/8 return") < at("redirect to :4140"));
        assert!(at("tcp dport { 4190, 4191, 22 } return") < at("redirect to :4143"));
    }
}
