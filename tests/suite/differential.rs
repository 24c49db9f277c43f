//! moto and the simulator get the same requests: where they answer differently, it is known, and why.

use super::support::clients::{python, variables};
use super::support::emulators::MotoServer;
use super::support::needs::Need;
use super::support::program::Simulator;

#[test]
fn moto_and_the_simulator_differ_in_what_is_listed_and_in_nothing_else() {
    if !Need::Boto3.is_met() {
        return;
    }
    let Some(moto) = MotoServer::start() else { return };
    let clients = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");
    // At its own pace: nothing happens between two requests that one of them did not ask for.
    let simulator = Simulator::with(&["--scenario", &format!("{clients}/scenarios/empty.yml"), "--speed", "1x"]);
    let (_, url) = &simulator.variables[0];
    let known = format!("{clients}/differences.txt");
    python(&variables(&moto.url), "differential.py", &[&moto.url, url, &known]);
}
