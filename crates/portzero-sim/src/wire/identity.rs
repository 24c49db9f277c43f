//! Identifiers that AWS would draw at random, drawn from a name instead: the same name gets the same identifier.

/// A version 4 UUID in shape.
pub(crate) fn uuid(name: &str) -> String {
    let (a, b) = (hash(name, 1), hash(name, 2));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        a >> 16 & 0xffff,
        a & 0xfff,
        0x8000 | (b >> 48 & 0x3fff),
        b & 0xffff_ffff_ffff
    )
}

/// Sixteen hexadecimal digits, as at the end of a load balancer's ARNs.
pub(crate) fn hex(name: &str) -> String {
    format!("{:016x}", hash(name, 3))
}

/// FNV-1a, then the finaliser of splitmix64, because FNV alone hardly changes the high bits of short names.
fn hash(name: &str, salt: u64) -> u64 {
    let mut state = name.bytes().fold(0xcbf2_9ce4_8422_2325 ^ salt, |state: u64, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_one_digit_apart_get_unlike_identifiers_of_the_right_shape() {
        let (one, two) = (uuid("request 1"), uuid("request 2"));
        assert_ne!(one, two);
        assert_eq!(one, uuid("request 1"));
        let lengths: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(&one[14..15], "4");
    }
}
