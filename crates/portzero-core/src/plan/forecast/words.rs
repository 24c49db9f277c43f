//! The forecast in one line for people.

use crate::base::time::human;
use crate::plan::forecast::{Bounds, Forecast};

impl Forecast {
    /// Until the new targets serve, and until the old ones are drained; what it is made of, and what would make it shorter.
    pub fn sentence(&self) -> String {
        let shift = if self.shift.is_zero() {
            String::new()
        } else {
            format!(", {} of it between steps of the traffic", human(self.shift))
        };
        let bake = if self.bake.is_zero() {
            String::new()
        } else {
            format!(", with a bake time of {}", human(self.bake))
        };
        let room = if self.is_without_room { "with room enough, " } else { "" };
        format!(
            "{room}about {}{shift} until the new targets serve{}, {} until the old ones are drained{bake}{}{}",
            range(self.switched),
            self.waves_words(),
            range(self.drained),
            self.drain_share(),
            self.saving_words()
        )
    }

    /// Tasks that start together are one wave.
    fn waves_words(&self) -> String {
        match self.waves {
            0 | 1 => String::new(),
            many => format!(", in {many} waves"),
        }
    }

    fn drain_share(&self) -> String {
        if self.drain.is_zero() {
            return String::new();
        }
        let share = self.drain.as_secs() * 100 / self.drained.likely.as_secs().max(1);
        format!("; {} of it ({share} %) is the deregistration delay", human(self.drain))
    }

    fn saving_words(&self) -> String {
        self.saving.as_ref().map_or_else(String::new, |saving| {
            let with = human(saving.drained);
            format!(
                "; {} instead of a {} would make it {with}",
                saving.instead, saving.setting
            )
        })
    }
}

/// `1m 05s (50s to 1m 30s)`
fn range(bounds: Bounds) -> String {
    bounds.text()
}
