//! Histograms as bytes: resolution, zero count, sum, and the occupied buckets as steps from one to the
//! next, all integers as LEB128. A latency histogram of one second takes about 30 bytes.

use super::Histogram;
use crate::varint::{read_varint, unzigzag, write_varint, zigzag};

impl Histogram {
    /// The bytes that [`Histogram::decode`] reads.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 + 3 * self.buckets.len());
        bytes.push(self.schema.to_le_bytes()[0]);
        bytes.extend_from_slice(&self.sum.to_le_bytes());
        write_varint(&mut bytes, self.zero_count);
        let mut previous = 0i32;
        for (index, count) in &self.buckets {
            write_varint(&mut bytes, zigzag(i64::from(*index) - i64::from(previous)));
            write_varint(&mut bytes, *count);
            previous = *index;
        }
        bytes
    }

    /// Reads what [`Histogram::encode`] wrote; `None` when it is anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let schema = i8::from_le_bytes([*bytes.first()?]);
        let mut histogram = Self::new(schema);
        histogram.add_encoded(bytes)?;
        Some(histogram)
    }

    /// Adds the observations of what [`Histogram::encode`] wrote, as [`Histogram::merge`] does, without
    /// a histogram in between: a long window is the sum of very many. `None` when the bytes are anything
    /// else; then this histogram is of no use any more.
    pub(crate) fn merge_encoded(&mut self, bytes: &[u8]) -> Option<()> {
        let schema = i8::from_le_bytes([*bytes.first()?]);
        if self.is_empty() || schema != self.schema {
            self.merge(&Self::decode(bytes)?);
            return Some(());
        }
        self.add_encoded(bytes)
    }

    /// The same for bytes of the same resolution.
    fn add_encoded(&mut self, bytes: &[u8]) -> Option<()> {
        let (sum, mut rest) = bytes.get(1..)?.split_first_chunk::<8>()?;
        self.sum += f64::from_le_bytes(*sum);
        self.zero_count = self.zero_count.saturating_add(read_varint(&mut rest)?);
        let mut index = 0i64;
        while !rest.is_empty() {
            index = index.checked_add(unzigzag(read_varint(&mut rest)?))?;
            let count = read_varint(&mut rest)?;
            self.add(i32::try_from(index).ok()?, count);
        }
        Some(())
    }
}
