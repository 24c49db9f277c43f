//! Who moves the time of a served world.

use crate::timestamp::Timestamp;
use crate::world::World;

/// Whatever moves virtual time. A closure does, and cannot be told to go faster.
pub trait TimeSource {
    /// Brings the world up to the present. Called ahead of every request.
    fn tick(&self, world: &mut World);

    /// Virtual seconds in a real one; `None` where time moves otherwise.
    fn speed(&self) -> Option<f64> {
        None
    }

    /// Whether the speed could be changed.
    fn set_speed(&self, _world: &mut World, _factor: f64) -> bool {
        false
    }

    /// When the client stops waiting for an answer, where it has said so: a client in virtual time has no other way to.
    fn client_waits_until(&self) -> Option<Timestamp> {
        None
    }

    /// The world has been moved by somebody else: time goes on from where it is now.
    fn rebase(&self, _world: &World) {}
}

impl<F: Fn(&mut World)> TimeSource for F {
    fn tick(&self, world: &mut World) {
        self(world);
    }
}
