//! Vectors of unit length as int8 with one scale each: 256 dimensions take 260 bytes, and a scan is integer arithmetic that
//! the compiler vectorises. The error of a cosine stays below 0.01.

/// One vector: `values[i] * scale` is the component.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantized {
    pub(super) scale: f32,
    pub(super) values: Vec<i8>,
}

impl Quantized {
    pub(super) fn of(vector: &[f32]) -> Self {
        let largest = vector.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        if largest == 0.0 || !largest.is_finite() {
            return Self { scale: 0.0, values: vec![0; vector.len()] };
        }
        let scale = largest / 127.0;
        Self { scale, values: vector.iter().map(|x| (x / scale).round() as i8).collect() }
    }

    /// Scale as little-endian f32, then the values.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 + self.values.len());
        bytes.extend_from_slice(&self.scale.to_le_bytes());
        bytes.extend(self.values.iter().map(|v| v.to_le_bytes()[0]));
        bytes
    }
}

/// Scale and values of stored bytes; `None` where they are not `dimensions` long.
pub(super) fn parts(bytes: &[u8], dimensions: usize) -> Option<(f32, &[u8])> {
    let (scale, values) = bytes.split_first_chunk::<4>()?;
    (values.len() == dimensions).then(|| (f32::from_le_bytes(*scale), values))
}

/// The vector as it was before, to within half a step; `None` for damaged bytes and for the vector of zeros, which is none.
pub(super) fn floats(bytes: &[u8], dimensions: usize) -> Option<Vec<f32>> {
    let (scale, values) = parts(bytes, dimensions).filter(|(scale, _)| *scale > 0.0)?;
    Some(values.iter().map(|v| f32::from(i8::from_le_bytes([*v])) * scale).collect())
}

/// What vectors are compared with: one vector, widened once, because the processor multiplies i16.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Query {
    pub(super) scale: f32,
    pub(super) values: Vec<i16>,
}

impl Query {
    pub(super) fn of(vector: &[f32]) -> Self {
        let Quantized { scale, values } = Quantized::of(vector);
        Self { scale, values: values.into_iter().map(i16::from).collect() }
    }
}

#[inline(always)]
pub(super) fn dot(a: &[i8], query: &[i16]) -> i32 {
    a.iter().zip(query).map(|(x, y)| i32::from(i16::from(*x)) * i32::from(*y)).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cosines_survive(a in prop::collection::vec(-1.0_f32..1.0, 256), b in prop::collection::vec(-1.0_f32..1.0, 256)) {
            let unit = |v: &[f32]| {
                let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
                v.iter().map(|x| x / norm).collect::<Vec<_>>()
            };
            let (a, b) = (unit(&a), unit(&b));
            let exact: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
            let (qa, qb) = (Quantized::of(&a), Query::of(&b));
            let near = dot(&qa.values, &qb.values) as f32 * qa.scale * qb.scale;
            prop_assert!((exact - near).abs() < 0.01, "{exact} {near}");
            let back = floats(&qa.to_bytes(), 256).unwrap();
            prop_assert_eq!(Quantized::of(&back).values, qa.values, "moving a vector between files loses nothing more");
        }
    }

    #[test]
    fn a_zero_vector_is_like_nothing() {
        let zero = Quantized::of(&[0.0; 4]);
        assert_eq!((zero.scale, dot(&zero.values, &[1, 2, 3, 4])), (0.0, 0));
        assert!(
            parts(&zero.to_bytes(), 4).is_some() && parts(&zero.to_bytes(), 5).is_none() && parts(&[1], 0).is_none()
        );
    }
}
