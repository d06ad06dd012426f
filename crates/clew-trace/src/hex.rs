//! Hexadecimal digits of ids, both ways, without allocation.

const DIGITS: &[u8; 16] = b"0123456789abcdef";
const NOT_A_DIGIT: u8 = 0xff;

/// Value of each byte as a digit, or [`NOT_A_DIGIT`].
const fn values(upper_case: bool) -> [u8; 256] {
    let mut table = [NOT_A_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        let digit = DIGITS[value];
        table[digit as usize] = value as u8;
        if upper_case {
            table[digit.to_ascii_uppercase() as usize] = value as u8;
        }
        value += 1;
    }
    table
}

static LOWER: [u8; 256] = values(false);
static ANY: [u8; 256] = values(true);

/// Which digits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    /// `0-9a-f`, as W3C demands.
    Lower,
    /// `0-9a-fA-F`.
    Any,
}

/// The number that the digits spell, most significant first. `None` when there are none, more than 32,
/// or one is not a digit.
pub(crate) fn parse(digits: &[u8], case: Case) -> Option<u128> {
    if digits.is_empty() || digits.len() > 32 {
        return None;
    }
    let table = match case {
        Case::Lower => &LOWER,
        Case::Any => &ANY,
    };
    // One test at the end instead of one per digit: only NOT_A_DIGIT has a high bit.
    let mut seen = 0;
    let mut number = 0u128;
    for &digit in digits {
        let value = table[usize::from(digit)];
        seen |= value;
        number = number << 4 | u128::from(value & 0xf);
    }
    (seen < 16).then_some(number)
}

/// The 16 lower-case digits of a number.
pub(crate) fn digits_u64(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xf)];
    }
    digits
}

/// The 32 lower-case digits of a number.
pub(crate) fn digits_u128(number: u128) -> [u8; 32] {
    let mut digits = [0; 32];
    digits[..16].copy_from_slice(&digits_u64((number >> 64) as u64));
    digits[16..].copy_from_slice(&digits_u64(number as u64));
    digits
}

/// The two lower-case digits of a byte.
pub(crate) fn digits_u8(byte: u8) -> [u8; 2] {
    [
        DIGITS[usize::from(byte >> 4)],
        DIGITS[usize::from(byte & 0xf)],
    ]
}
