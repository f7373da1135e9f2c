//! Reading the weights' file: every tensor that is asked for has the shape and the type that were expected, and finite numbers.

use std::str;

use ndarray::{Array1, Array2};
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, SafeTensors};
use thiserror::Error;

use super::product::product;
use super::vocabulary::Vocabulary;

/// Weights that cannot be used.
#[derive(Debug, Error)]
pub enum EncoderError {
    /// The file is cut off, or is none of this kind.
    #[error("the weights cannot be read: {problem}; expected a safetensors file of the format {expected}")]
    Unreadable {
        /// The format of such files.
        expected: &'static str,
        /// What the reader of the container says.
        problem: String,
    },
    /// A file of another kind.
    #[error("the weights have the format {found:?}; expected {expected}")]
    Format {
        /// The format of such files.
        expected: &'static str,
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

/// Rows as they are stored: whole numbers, and a factor for each row.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    values: &'a [u8],
    scale: Vec<f32>,
    columns: usize,
}

/// A linear map as it is stored: whole numbers, a row for each input, and a factor for each output.
#[derive(Debug)]
pub(crate) struct Map<'a> {
    values: &'a [u8],
    scale: Array1<f32>,
}

impl<'a> File<'a> {
    /// A file whose description names this format.
    pub(crate) fn read(bytes: &'a [u8], expected: &'static str) -> Result<Self, EncoderError> {
        let (length, head) = SafeTensors::read_metadata(bytes)
            .map_err(|e| EncoderError::Unreadable { expected, problem: e.to_string() })?;
        let data = bytes.get(size_of::<u64>() + length..).unwrap_or_default();
        let file = Self { head, data };
        let format = file.description("format");
        if format != expected {
            return Err(EncoderError::Format { expected, found: format.to_owned() });
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

    /// So many rows of whole numbers, of a known length if there is one.
    pub(crate) fn scaled_rows(
        &self,
        name: &str,
        rows: usize,
        columns: Option<usize>,
    ) -> Result<Rows<'a>, EncoderError> {
        let ([rows, columns], values) = self.tensor(name, Dtype::I8, [Some(rows), columns])?;
        Ok(Rows { values, scale: self.floats(&format!("{name}.scale"), [Some(rows)])?.1, columns })
    }

    /// A linear map of so many inputs to so many outputs, if that is known.
    pub(crate) fn map(&self, name: &str, inputs: usize, outputs: Option<usize>) -> Result<Map<'a>, EncoderError> {
        let ([_, outputs], values) = self.tensor(name, Dtype::I8, [Some(inputs), outputs])?;
        Ok(Map { values, scale: self.row(&format!("{name}.scale"), outputs)? })
    }

    /// A row of floats of a known length.
    pub(crate) fn row(&self, name: &str, length: usize) -> Result<Array1<f32>, EncoderError> {
        Ok(self.floats(name, [Some(length)])?.1.into())
    }

    /// How many floats a row has.
    pub(crate) fn length(&self, name: &str) -> Result<usize, EncoderError> {
        Ok(self.floats(name, [None])?.0[0])
    }

    /// Rows of floats of a known length; so many, if that is known.
    pub(crate) fn float_rows(
        &self,
        name: &str,
        rows: Option<usize>,
        columns: usize,
    ) -> Result<Array2<f32>, EncoderError> {
        let (shape, floats) = self.floats(name, [rows, Some(columns)])?;
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

impl Rows<'_> {
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Adds rows to a sum.
    pub(crate) fn add(&self, rows: &[u32], sum: &mut [f32]) {
        // Several rows at once, so that the processor fetches them from memory at the same time.
        let (several, rest) = rows.as_chunks::<4>();
        several.iter().for_each(|rows| self.add_some(*rows, sum));
        rest.iter().for_each(|row| self.add_some([*row], sum));
    }

    fn add_some<const N: usize>(&self, rows: [u32; N], sum: &mut [f32]) {
        let scale = rows.map(|row| self.scale[row as usize]);
        let rows = rows.map(|row| &self.values[row as usize * self.columns..][..sum.len()]);
        for (i, sum) in sum.iter_mut().enumerate() {
            for (row, scale) in rows.iter().zip(scale) {
                *sum += f32::from(row[i].cast_signed()) * scale;
            }
        }
    }
}

impl Map<'_> {
    pub(crate) fn outputs(&self) -> usize {
        self.scale.len()
    }

    /// The outputs for each row of inputs. The numbers are unpacked anew each time: this costs less than to fetch all of them from memory
    /// as floats, four times as long.
    pub(crate) fn apply(&self, x: &Array2<f32>) -> Array2<f32> {
        product(x, self.values, &self.scale)
    }
}

/// The error about a tensor.
pub(crate) fn wrong(name: &str, found: impl Into<String>, expected: impl Into<String>) -> EncoderError {
    EncoderError::Tensor { name: name.to_owned(), found: found.into(), expected: expected.into() }
}
