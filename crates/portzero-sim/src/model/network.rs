//! The simulated VPC: its zones, its subnets, and ids that follow from names.

/// The network of the simulated account: one VPC with one subnet in each of two zones, and its default security group.
pub(crate) const VPC: &str = "vpc-0a1b2c3d";
pub(crate) const SECURITY_GROUP: &str = "sg-0a1b2c3d";

/// The network in one line, for the comments of a file that makes a load balancer in it.
pub fn describe(region: &str) -> String {
    let subnets = zones(region)
        .into_iter()
        .map(|zone| format!("{} in {zone}", subnet_of(&zone)));
    format!("{VPC} has {}", subnets.collect::<Vec<_>>().join(" and "))
}

pub(crate) fn zones(region: &str) -> Vec<String> {
    ["a", "b"].map(|zone| format!("{region}{zone}")).to_vec()
}

/// Sixteen hexadecimal digits that depend on the text alone, so that ARNs are the same under every seed (FNV-1a).
pub(crate) fn digest(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// The subnet of an availability zone in the one VPC that there is.
pub(crate) fn subnet_of(zone: &str) -> String {
    format!("subnet-0{}", crate::model::network::digest(zone))
}
