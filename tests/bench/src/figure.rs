//! What was measured several times, as three numbers.

// Not every bench needs all of it, and each can be built alone.
#![cfg_attr(not(all(feature = "window", feature = "store")), allow(dead_code))]

/// Values of one kind.
#[derive(Debug, Clone, Default)]
pub struct Figure(Vec<f64>);

impl Figure {
    /// One more.
    pub fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Does something, and adds how many microseconds it took.
    pub fn time<T, E>(&mut self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let begun = std::time::Instant::now();
        let result = work()?;
        self.add(begun.elapsed().as_secs_f64() * 1_000_000.0);
        Ok(result)
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The middle one.
    pub fn median(&self) -> Option<f64> {
        self.sorted().get(self.0.len() / 2).copied()
    }

    /// The largest.
    pub fn largest(&self) -> Option<f64> {
        self.sorted().pop()
    }

    /// `12 / 14 / 30`: the smallest, the middle one and the largest; a dash if there are none.
    pub fn summary(&self) -> String {
        match (self.sorted().first(), self.median(), self.largest()) {
            (Some(min), Some(median), Some(max)) => format!("{min:.0} / {median:.0} / {max:.0}"),
            _ => "–".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_one_is_between_the_extremes() {
        let mut figure = Figure::default();
        assert_eq!(figure.summary(), "–");
        for value in [30.2, 11.9, 14.0] {
            figure.add(value);
        }
        assert_eq!(figure.summary(), "12 / 14 / 30");
        assert_eq!(figure.len(), 3);
        assert_eq!((figure.median(), figure.largest()), (Some(14.0), Some(30.2)));
    }
}
