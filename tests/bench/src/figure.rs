//! What was measured several times, as three numbers.

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

    /// `12 / 14 / 30`: the smallest, the middle one and the largest; a dash if there are none.
    pub fn summary(&self) -> String {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match (sorted.first(), sorted.get(sorted.len() / 2), sorted.last()) {
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
    }
}
