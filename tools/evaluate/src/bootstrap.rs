//! How far a mean over some questions could be off because it is over just these.

use fastrand::Rng;

/// Draws with replacement.
const RESAMPLES: usize = 1000;
const SEED: u64 = 20_260_601;

/// The 95 % percentile interval of the mean (Efron 1979); `None` of nothing.
pub(crate) fn interval(values: &[f64]) -> Option<(f64, f64)> {
    interval_of_means(&[values])
}

/// The same of the mean of the means of some groups, each of which is drawn from alone. `None` if any is empty.
pub(crate) fn interval_of_means(groups: &[&[f64]]) -> Option<(f64, f64)> {
    if groups.is_empty() || groups.iter().any(|values| values.is_empty()) {
        return None;
    }
    let mut random = Rng::with_seed(SEED);
    let mut mean = |values: &[f64]| {
        (0..values.len()).map(|_| values[random.usize(0..values.len())]).sum::<f64>() / values.len() as f64
    };
    let mut mean_of_means = || groups.iter().map(|values| mean(values)).sum::<f64>() / groups.len() as f64;
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| mean_of_means()).collect();
    means.sort_by(f64::total_cmp);
    Some((means[RESAMPLES * 25 / 1000], means[RESAMPLES * 975 / 1000 - 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_around_the_mean_and_narrower_with_more() {
        let of = |n: usize| (0..n).map(|i| (i % 2) as f64).collect::<Vec<_>>();
        let (few, many) = (interval(&of(20)).unwrap(), interval(&of(2000)).unwrap());
        assert!(few.0 < many.0 && many.0 < 0.5 && 0.5 < many.1 && many.1 < few.1, "{few:?} {many:?}");
        assert_eq!(interval(&[0.7; 9]).map(|(a, b)| ((a * 10.0).round(), (b * 10.0).round())), Some((7.0, 7.0)));
        assert_eq!((interval(&of(20)), interval(&[])), (Some(few), None));
        let (low, high) = interval_of_means(&[&of(20), &[0.9; 9]]).unwrap();
        assert!(few.0 < low && low < 0.7 && 0.7 < high && high - low < few.1 - few.0, "{low} {high}");
        assert_eq!(interval_of_means(&[&[0.5], &[]]), None);
    }
}
