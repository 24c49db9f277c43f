//! The services that speak the Query protocol: forms in, XML out.

pub(crate) mod elb;
pub(crate) mod elb_classic;
pub(crate) mod form;
pub(crate) mod sts;
pub(crate) mod xml;
