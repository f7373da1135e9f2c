//! Reading the weights' file: every tensor that is asked for has the shape and the type that were expected, and finite numbers.

use std::str;

use ndarray::{Array1, Array2, ArrayViewMut2, Axis};
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, SafeTensors};
use thiserror::Error;

use super::vocabulary::Vocabulary;

/// What the first entry of the file's description says.
const FORMAT: &str = "clusterlore-encoder-1";

/// Weights that cannot be used.
#[derive(Debug, Error)]
pub enum EncoderError {
    /// The file is cut off, or is none of this kind.
    #[error("the weights cannot be read: {problem}; expected a safetensors file of the format {FORMAT}")]
    Unreadable {
        /// What the reader of the container says.
        problem: String,
    },
    /// A file of another kind.
    #[error("the weights have the format {found:?}; expected {FORMAT}")]
    Format {
        /// What the file says it is; empty if it says nothing.
        found: String,
    },
    /// The file's description lacks a number, or has one that cannot be.
    #[error("the weights' description says {name} = {found:?}; expected {expected}")]
    Description {
        /// Which entry.
        name: &'static str,
        /// What it says; empty if it is missing.
        found: String,
        /// What it should say.
        expected: &'static str,
    },
    /// A tensor is missing or has another shape or type.
    #[error("the weights' tensor {name} {found}; expected {expected}")]
    Tensor {
        /// Which tensor.
        name: String,
        /// What is wrong with it.
        found: String,
        /// What it should be.
        expected: String,
    },
}

/// A file of weights. What is read from it borrows its bytes.
#[derive(Debug)]
pub(crate) struct File<'a> {
    head: Metadata,
    data: &'a [u8],
}

/// A matrix as it is stored: whole numbers, and a factor for each row.
#[derive(Debug)]
pub(crate) struct Matrix<'a> {
    values: &'a [u8],
    scale: Vec<f32>,
    columns: usize,
}

impl<'a> File<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, EncoderError> {
        let (length, head) =
            SafeTensors::read_metadata(bytes).map_err(|e| EncoderError::Unreadable { problem: e.to_string() })?;
        let data = bytes.get(size_of::<u64>() + length..).unwrap_or_default();
        let file = Self { head, data };
        let format = file.description("format");
        if format != FORMAT {
            return Err(EncoderError::Format { found: format.to_owned() });
        }
        Ok(file)
    }

    fn description(&self, name: &str) -> &str {
        self.head.metadata().as_ref().and_then(|all| all.get(name)).map_or("", String::as_str)
    }

    /// A number of the file's description.
    pub(crate) fn number<T: str::FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
        fits: impl Fn(&T) -> bool,
    ) -> Result<T, EncoderError> {
        let found = self.description(name);
        let number = found.parse().ok().filter(fits);
        number.ok_or_else(|| EncoderError::Description { name, found: found.to_owned(), expected })
    }

    /// The tokens that a tensor of bytes lists.
    pub(crate) fn vocabulary(&self, name: &str) -> Result<Vocabulary<'a>, EncoderError> {
        let (_, bytes) = self.tensor(name, Dtype::U8, [None])?;
        let list = str::from_utf8(bytes).map_err(|e| wrong(name, format!("is not text: {e}"), "UTF-8"))?;
        Vocabulary::new(list).ok_or_else(|| wrong(name, "lacks a token", "[UNK] among the tokens"))
    }

    /// A matrix with so many rows and columns, where that is known.
    pub(crate) fn matrix(
        &self,
        name: &str,
        rows: Option<usize>,
        columns: Option<usize>,
    ) -> Result<Matrix<'a>, EncoderError> {
        let (shape, values) = self.tensor(name, Dtype::I8, [rows, columns])?;
        let [rows, columns] = shape;
        let scale = self.floats(&format!("{name}.scale"), [Some(rows)])?.1;
        Ok(Matrix { values, scale, columns })
    }

    /// A row of floats of a known length.
    pub(crate) fn row(&self, name: &str, length: usize) -> Result<Array1<f32>, EncoderError> {
        Ok(self.floats(name, [Some(length)])?.1.into())
    }

    /// Rows of floats of a known length.
    pub(crate) fn rows(&self, name: &str, columns: usize) -> Result<Array2<f32>, EncoderError> {
        let (shape, floats) = self.floats(name, [None, Some(columns)])?;
        Array2::from_shape_vec(shape, floats).map_err(|e| wrong(name, e.to_string(), "a matrix"))
    }

    fn floats<const N: usize>(
        &self,
        name: &str,
        shape: [Option<usize>; N],
    ) -> Result<([usize; N], Vec<f32>), EncoderError> {
        let (shape, bytes) = self.tensor(name, Dtype::F32, shape)?;
        let floats: Vec<f32> = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        match floats.iter().find(|x| !x.is_finite()) {
            Some(found) => Err(wrong(name, format!("holds {found}"), "finite numbers")),
            None => Ok((shape, floats)),
        }
    }

    /// The shape and the bytes of a tensor. It is never empty.
    fn tensor<const N: usize>(
        &self,
        name: &str,
        dtype: Dtype,
        shape: [Option<usize>; N],
    ) -> Result<([usize; N], &'a [u8]), EncoderError> {
        let expected = || {
            let sides = shape.map(|side| side.map_or("any".to_owned(), |side| side.to_string()));
            format!("{dtype:?} [{}]", sides.join(", "))
        };
        let Some(TensorInfo { dtype: is, shape: has, data_offsets: (from, to) }) = self.head.info(name) else {
            return Err(wrong(name, "is missing", expected()));
        };
        let fits = |has: &[usize; N]| {
            has.iter().zip(shape).all(|(has, side)| *has > 0 && side.is_none_or(|side| side == *has))
        };
        let has_shape: Option<[usize; N]> = has.as_slice().try_into().ok().filter(fits);
        match (has_shape, self.data.get(*from..*to)) {
            (Some(has), Some(bytes)) if *is == dtype => Ok((has, bytes)),
            _ => Err(wrong(name, format!("is {is:?} {has:?}"), expected())),
        }
    }
}

impl Matrix<'_> {
    pub(crate) fn rows(&self) -> usize {
        self.scale.len()
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Adds one row to a sum.
    pub(crate) fn add_row(&self, row: usize, sum: &mut [f32]) {
        let Some(scale) = self.scale.get(row) else { return };
        let values = &self.values[row * self.columns..][..self.columns];
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum += f32::from(value.cast_signed()) * scale;
        }
    }

    /// Writes the numbers, rows as columns. Some rows at once, so that neither side is read or written all over the place.
    pub(crate) fn unpack_transposed(&self, mut into: ArrayViewMut2<'_, f32>) {
        const AT_ONCE: usize = 16;
        let rows = into.axis_chunks_iter_mut(Axis(1), AT_ONCE);
        let stored = self.values.chunks(AT_ONCE * self.columns).zip(self.scale.chunks(AT_ONCE));
        for (mut into, (values, scale)) in rows.zip(stored) {
            for (at, mut column) in into.rows_mut().into_iter().enumerate() {
                let values = values.iter().skip(at).step_by(self.columns);
                for ((into, value), scale) in column.iter_mut().zip(values).zip(scale) {
                    *into = f32::from(value.cast_signed()) * scale;
                }
            }
        }
    }
}

/// The error about a tensor.
pub(crate) fn wrong(name: &str, found: impl Into<String>, expected: impl Into<String>) -> EncoderError {
    EncoderError::Tensor { name: name.to_owned(), found: found.into(), expected: expected.into() }
}
