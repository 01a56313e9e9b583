//! Numbers, addresses and times from bytes, without a detour through text.

use std::net::{IpAddr, Ipv4Addr};

/// The number that the digits at the beginning make, and how many they are. At most 18, which fit.
fn digits(bytes: &[u8]) -> (u64, usize) {
    let mut value = 0;
    let mut count = 0;
    for byte in bytes.iter().take(18) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value * 10 + u64::from(digit);
        count += 1;
    }
    (value, count)
}

/// A whole number; a fraction is cut off.
pub(crate) fn decimal(bytes: &[u8]) -> Option<u64> {
    let (value, count) = digits(bytes);
    let ends = matches!(bytes.get(count), None | Some(b'.'));
    (count > 0 && ends).then_some(value)
}

/// An address; the common form by hand.
pub(crate) fn address(bytes: &[u8]) -> Option<IpAddr> {
    let mut bits: u32 = 0;
    let mut part: u32 = 0;
    let mut dots = 0;
    let mut width = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            part = part * 10 + u32::from(digit);
            width += 1;
            if width > 3 {
                return other_address(bytes);
            }
        } else if *byte == b'.' && width > 0 && part < 256 {
            bits = (bits << 8) | part;
            (part, width) = (0, 0);
            dots += 1;
        } else {
            return other_address(bytes);
        }
    }
    if dots != 3 || width == 0 || part > 255 {
        return other_address(bytes);
    }
    Some(IpAddr::V4(Ipv4Addr::from_bits((bits << 8) | part)))
}

/// All forms that are not four numbers; out of line, because they are rare.
#[cold]
fn other_address(bytes: &[u8]) -> Option<IpAddr> {
    makyo_base::parse_address(std::str::from_utf8(bytes).ok()?)
}

/// A port, also as `0x0303`.
pub(crate) fn port(bytes: &[u8]) -> u16 {
    let hex = bytes.strip_prefix(b"0x").and_then(|digits| std::str::from_utf8(digits).ok());
    let number = match hex {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => decimal(bytes),
    };
    number.and_then(|number| u16::try_from(number).ok()).unwrap_or(0)
}

/// A time in nanoseconds: seconds with a fraction by hand, all else as elsewhere in makyo.
pub(crate) fn time(bytes: &[u8]) -> Option<i64> {
    epoch(bytes).or_else(|| makyo_base::parse_time(std::str::from_utf8(bytes).ok()?))
}

fn epoch(bytes: &[u8]) -> Option<i64> {
    let (seconds, count) = digits(bytes);
    if !(9..=10).contains(&count) {
        return None;
    }
    let whole = i64::try_from(seconds).ok()? * 1_000_000_000;
    match bytes.get(count) {
        None => Some(whole),
        Some(b'.') => {
            let rest = bytes.get(count + 1..)?;
            let (fraction, places) = digits(rest);
            let is_number =
                places == rest.len() || rest.get(places).is_some_and(u8::is_ascii_digit);
            if !is_number {
                return None;
            }
            let fraction = i64::try_from(fraction).ok()?;
            let nanoseconds = match u32::try_from(places).ok()? {
                places @ 0..=9 => fraction * 10_i64.pow(9 - places),
                places => fraction / 10_i64.pow(places - 9),
            };
            Some(whole + nanoseconds)
        }
        Some(_) => None,
    }
}
