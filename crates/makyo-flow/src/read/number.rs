//! Numbers, addresses and times from bytes, without a detour through text.

use std::net::{IpAddr, Ipv4Addr};

/// A whole number; a fraction is cut off.
pub(crate) fn decimal(bytes: &[u8]) -> Option<u64> {
    let mut value: u64 = 0;
    let mut digits = 0;
    for byte in bytes {
        match byte {
            b'0'..=b'9' => {
                value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
                digits += 1;
            }
            b'.' if digits > 0 => break,
            _ => return None,
        }
    }
    (digits > 0).then_some(value)
}

/// An address; the common form by hand.
pub(crate) fn address(bytes: &[u8]) -> Option<IpAddr> {
    let mut parts = [0_u8; 4];
    let mut at = 0;
    let mut value: u32 = 0;
    let mut digits = 0;
    for byte in bytes {
        match byte {
            b'0'..=b'9' if digits < 3 => {
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
            }
            b'.' if digits > 0 && at < 3 => {
                *parts.get_mut(at)? = u8::try_from(value).ok()?;
                at += 1;
                value = 0;
                digits = 0;
            }
            _ => return makyo_base::parse_address(std::str::from_utf8(bytes).ok()?),
        }
    }
    if at != 3 || digits == 0 {
        return None;
    }
    *parts.get_mut(3)? = u8::try_from(value).ok()?;
    Some(IpAddr::V4(Ipv4Addr::from(parts)))
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
    let mut seconds: i64 = 0;
    let mut fraction: i64 = 0;
    let mut places = 0_u32;
    let mut is_fraction = false;
    let mut digits = 0;
    for byte in bytes {
        match byte {
            b'0'..=b'9' if is_fraction => {
                if places < 9 {
                    fraction = fraction * 10 + i64::from(byte - b'0');
                    places += 1;
                }
            }
            b'0'..=b'9' => {
                seconds = seconds * 10 + i64::from(byte - b'0');
                digits += 1;
                if digits > 10 {
                    return None;
                }
            }
            b'.' if !is_fraction => is_fraction = true,
            _ => return None,
        }
    }
    if digits < 9 {
        return None;
    }
    Some(seconds * 1_000_000_000 + fraction * 10_i64.pow(9 - places))
}
