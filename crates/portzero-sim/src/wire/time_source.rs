//! Who moves the time of a served world.

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

    /// The world has been moved by somebody else: time goes on from where it is now.
    fn rebase(&self, _world: &World) {}
}

impl<F: Fn(&mut World)> TimeSource for F {
    fn tick(&self, world: &mut World) {
        self(world);
    }
}
