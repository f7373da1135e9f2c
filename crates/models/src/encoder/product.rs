//! The product of a few rows of floats and a matrix of whole numbers, with the widest instructions that the processor has.
//!
//! A question has some ten tokens and the matrices of a transformer have a million numbers each. So what costs is to unpack the numbers
//! once and to keep the sums of several rows in registers; libraries for large matrices pack both sides anew first.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use pulp::{Arch, Simd, WithSimd};

/// Columns of the matrix that are worked on at a time: a cache line of it.
const WIDE: usize = 64;
/// Its rows that are unpacked at a time: with [`WIDE`] a matrix that stays in the nearest cache.
const DEEP: usize = 64;
/// The most rows of floats whose sums are kept in registers at a time, two registers each.
const TALL: usize = 12;
/// Registers from which on there is room for all of these. Where there are sixteen, it is for half of them.
const MANY_REGISTERS: usize = 32;

/// So many columns.
type Wide = [f32; WIDE];

/// A column of so many rows.
type Tall = [f32; TALL];

/// `x` times a matrix of whole numbers, each of whose columns has a factor. `values`: the bytes of the matrix, a row for each column of `x`.
pub(super) fn product(x: &Array2<f32>, values: &[u8], scale: &Array1<f32>) -> Array2<f32> {
    let rows = x.nrows();
    // By columns, then by rows of `x`.
    let mut sums: Vec<Wide> = vec![[0.0; WIDE]; scale.len().div_ceil(WIDE) * rows];
    Arch::new().dispatch(Sum { x, values, columns: scale.len(), sums: &mut sums });
    let mut scaled = vec![0.0; rows * scale.len()];
    let factors = scale.as_slice().unwrap_or_default();
    for (at, row) in scaled.chunks_exact_mut(scale.len().max(1)).enumerate() {
        let parts = row.chunks_mut(WIDE).zip(factors.chunks(WIDE));
        for ((scaled, factors), sums) in parts.zip(sums.iter().skip(at).step_by(rows)) {
            scaled.iter_mut().zip(sums).zip(factors).for_each(|((scaled, sum), factor)| *scaled = sum * factor);
        }
    }
    Array2::from_shape_vec((rows, scale.len()), scaled).unwrap_or_default()
}

/// The numbers of some rows, by columns.
fn tall(rows: &ArrayView2<'_, f32>) -> Vec<Tall> {
    let mut tall = vec![[0.0; TALL]; rows.ncols()];
    for (at, row) in rows.rows().into_iter().enumerate().take(TALL) {
        let row = row.to_slice().unwrap_or_default();
        tall.iter_mut().zip(row).for_each(|(tall, x)| tall[at] = *x);
    }
    tall
}

/// The sums of all products.
struct Sum<'a> {
    x: &'a Array2<f32>,
    values: &'a [u8],
    columns: usize,
    sums: &'a mut [Wide],
}

impl WithSimd for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, values, columns, sums } = self;
        let rows = x.nrows().max(1);
        let most = if S::REGISTER_COUNT < MANY_REGISTERS { TALL / 2 } else { TALL };
        // As many in each: a few that are left over would take nearly as long as all.
        let together = rows.div_ceil(rows.div_ceil(most));
        let inputs: Vec<Vec<Tall>> = x.axis_chunks_iter(Axis(0), together).map(|rows| tall(&rows)).collect();
        let mut weights: [Wide; DEEP] = [[0.0; WIDE]; DEEP];
        for (block, values) in values.chunks(DEEP * columns).enumerate() {
            for (part, sums) in sums.chunks_mut(rows).enumerate() {
                let from = part * WIDE;
                let width = WIDE.min(columns - from);
                let mut deep = 0;
                for (weights, values) in weights.iter_mut().zip(values.chunks_exact(columns)) {
                    let values = &values[from..from + width];
                    weights.iter_mut().zip(values).for_each(|(weight, value)| *weight = f32::from(value.cast_signed()));
                    deep += 1;
                }
                let weights = &weights[..deep];
                for (inputs, sums) in inputs.iter().zip(sums.chunks_mut(together)) {
                    let inputs = &inputs[block * DEEP..][..deep];
                    match sums.len() {
                        1 => add::<S, 1>(simd, inputs, weights, sums),
                        2 => add::<S, 2>(simd, inputs, weights, sums),
                        3 => add::<S, 3>(simd, inputs, weights, sums),
                        4 => add::<S, 4>(simd, inputs, weights, sums),
                        5 => add::<S, 5>(simd, inputs, weights, sums),
                        6 => add::<S, 6>(simd, inputs, weights, sums),
                        7 => add::<S, 7>(simd, inputs, weights, sums),
                        8 => add::<S, 8>(simd, inputs, weights, sums),
                        9 => add::<S, 9>(simd, inputs, weights, sums),
                        10 => add::<S, 10>(simd, inputs, weights, sums),
                        11 => add::<S, 11>(simd, inputs, weights, sums),
                        _ => add::<S, TALL>(simd, inputs, weights, sums),
                    }
                }
            }
        }
    }
}

/// Adds to the sums of so many rows what these weights add.
#[inline(always)]
fn add<S: Simd, const ROWS: usize>(simd: S, inputs: &[Tall], weights: &[Wide], sums: &mut [Wide]) {
    for pair in (0..WIDE / S::F32_LANES).step_by(2) {
        let mut added = [[simd.splat_f32s(0.0); 2]; ROWS];
        for (weights, inputs) in weights.iter().zip(inputs) {
            let (weights, _) = S::as_simd_f32s(weights);
            let (first, second) = (weights[pair], weights[pair + 1]);
            for (added, input) in added.iter_mut().zip(inputs) {
                let input = simd.splat_f32s(*input);
                added[0] = multiply_add(simd, input, first, added[0]);
                added[1] = multiply_add(simd, input, second, added[1]);
            }
        }
        for (sums, added) in sums.iter_mut().zip(added) {
            let (sums, _) = S::as_mut_simd_f32s(sums);
            sums[pair] = simd.add_f32s(sums[pair], added[0]);
            sums[pair + 1] = simd.add_f32s(sums[pair + 1], added[1]);
        }
    }
}

/// In one step where the processor has one; elsewhere a library would work out what one step would have given, which takes far longer.
#[inline(always)]
fn multiply_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    if S::IS_SCALAR { simd.add_f32s(simd.mul_f32s(a, b), c) } else { simd.mul_add_f32s(a, b, c) }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;

    /// All ways to share rows among registers, and sides that no block divides.
    #[test]
    fn any_number_of_rows_is_the_sum_of_its_products() {
        const INPUTS: usize = DEEP * 2 + 3;
        const COLUMNS: usize = WIDE + 5;
        let mut rng = Rng::with_seed(1);
        let values: Vec<u8> = (0..INPUTS * COLUMNS).map(|_| rng.u8(..)).collect();
        let scale: Array1<f32> = (0..COLUMNS).map(|_| rng.f32()).collect();
        for rows in 1..=2 * TALL + 2 {
            let x = Array2::from_shape_fn((rows, INPUTS), |_| rng.f32() * 2.0 - 1.0);
            let is = product(&x, &values, &scale);
            assert_eq!(is.dim(), (rows, COLUMNS));
            for ((row, column), is) in is.indexed_iter() {
                let term = |k: usize| f64::from(x[[row, k]]) * f64::from(values[k * COLUMNS + column].cast_signed());
                let expected = (0..INPUTS).map(term).sum::<f64>() * f64::from(scale[column]);
                assert!((f64::from(*is) - expected).abs() < 0.01, "{rows} rows: {is} at {row}, {column}; {expected}");
            }
        }
    }
}
