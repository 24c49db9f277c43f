//! The forecast as a picture of text: when what is expected, and between what it lies.

use std::fmt::Write as _;
use std::time::Duration;

use portzero_core::plan::forecast::{Bounds, Forecast};

/// Characters of a bar.
const WIDTH: u32 = 48;

/// A row for each milestone. `=` leads to what is likely, `-` is as long as it may take.
pub fn draw(forecast: &Forecast) -> String {
    let rows = [
        ("registered", forecast.started),
        ("serving", forecast.switched),
        ("drained", forecast.drained),
    ];
    let end = rows.iter().map(|(_, bounds)| bounds.most).max().unwrap_or_default();
    let mut out = String::new();
    let mut begin = Duration::ZERO;
    for (name, bounds) in rows {
        let _ = writeln!(out, "  {name:<10}  {}  {}", bar(begin, bounds, end), bounds.text());
        begin = bounds.likely;
    }
    out
}

fn bar(begin: Duration, bounds: Bounds, end: Duration) -> String {
    let cell = |at: Duration| {
        let share = at.as_secs_f64() / end.as_secs_f64().max(1.0) * f64::from(WIDTH);
        (0..WIDTH).take_while(|cell| f64::from(*cell) < share).count()
    };
    let (from, likely, most) = (cell(begin), cell(bounds.likely), cell(bounds.most));
    let mut text = " ".repeat(from);
    text.push_str(&"=".repeat(likely.saturating_sub(from)));
    text.push_str(&"-".repeat(most.saturating_sub(likely.max(from))));
    format!("{text:<width$}", width = (0..WIDTH).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_begins_where_the_one_before_is_likely_to_end() {
        let bounds = Bounds {
            least: Duration::from_secs(20),
            likely: Duration::from_secs(30),
            most: Duration::from_secs(60),
        };
        let end = Duration::from_secs(120);
        let drawn = bar(Duration::from_secs(10), bounds, end);
        assert_eq!(
            drawn,
            format!("    {}{}{}", "=".repeat(8), "-".repeat(12), " ".repeat(24))
        );
        assert_eq!(bar(Duration::ZERO, Bounds::default(), Duration::ZERO), " ".repeat(48));
    }
}
