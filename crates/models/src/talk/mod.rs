//! Which words of a typed text ask, and which are talk: a greeting, why somebody asks, how the answer is to look, a signature.
//! A small convolutional network over the words, made by `tools/train-talk`.
//!
//! # Weights
//!
//! One safetensors file whose description holds `format` = `clusterlore-talk-1`. With D dimensions of the built-in table, B = 4096, E
//! numbers a row, F what is seen of a unit, and width H:
//!
//! | tensor | type and shape |
//! | --- | --- |
//! | `pieces` | I8 [B, E], with F32 `pieces.scale` [B] |
//! | `input`, `layer.N` (N = 0 to 3), `all`, `last`, `output` | F32 [D + E + F, H], [5 H, H], [2 H, H], [H, H], [H, 1] |
//! | `input.bias` and so on | F32 [outputs] |
//!
//! # What is computed
//!
//! Each unit's row: the vector of its word as a document, the mean of the rows of its pieces, and what is seen of it. Then `input`; the
//! layers, each over five units that stand 1, 2, 4, 8 apart; before the third, `all` over a unit and the most of all units; each of
//! these with ReLU, and added to what went in where that is as wide. Then `last` with ReLU, and `output`: a logit.

mod units;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::OnceLock;

use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::builtin::{self, DIMENSIONS};
use crate::encoder::{Encoder, EncoderError, File, Rows};

/// What the file's description says.
const FORMAT: &str = "clusterlore-talk-1";
static WEIGHTS: &[u8] = include_bytes!("../../data/builtin/talk.safetensors");
/// Rows that the pieces of words share.
const ROWS: u32 = 4096;
/// Units that a layer sees at once.
const SPAN: usize = 5;
/// How far apart they stand, in each layer.
const DILATIONS: [usize; 4] = [1, 2, 4, 8];
/// Before this layer each unit learns of the most that any shows.
const POOLED: usize = 2;

/// A word of a text, or a mark.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Where it stands.
    pub span: Range<usize>,
    /// The number of its sentence.
    pub sentence: usize,
    /// Whether it is a word.
    pub word: bool,
    /// The logarithm of how much more likely it is part of a question than not.
    pub asks: f32,
}

/// The words and marks of a text and what speaks for each to be part of the question; at most 512 of them.
pub fn said(text: &str) -> Vec<Said> {
    static TALK: OnceLock<Option<Talk<'static>>> = OnceLock::new();
    let talk = TALK.get_or_init(|| Talk::from_bytes(WEIGHTS).ok());
    match (talk, builtin::encoder()) {
        (Some(talk), Ok(encoder)) => talk.read(text, &encoder),
        _ => Vec::new(),
    }
}

#[derive(Debug)]
struct Linear {
    weights: Array2<f32>,
    bias: Array1<f32>,
}

impl Linear {
    fn new(file: &File<'_>, name: &str, inputs: usize, outputs: usize) -> Result<Self, EncoderError> {
        Ok(Self {
            weights: file.float_rows(name, Some(inputs), outputs)?,
            bias: file.row(&format!("{name}.bias"), outputs)?,
        })
    }

    fn apply(&self, x: &ArrayView2<'_, f32>) -> Array2<f32> {
        x.dot(&self.weights) + &self.bias
    }

    /// With ReLU.
    fn bent(&self, x: &ArrayView2<'_, f32>) -> Array2<f32> {
        self.apply(x).mapv_into(|x| x.max(0.0))
    }
}

/// The network.
#[derive(Debug)]
struct Talk<'a> {
    pieces: Rows<'a>,
    input: Linear,
    layers: Vec<Linear>,
    all: Linear,
    last: Linear,
    output: Linear,
}

impl<'a> Talk<'a> {
    fn from_bytes(bytes: &'a [u8]) -> Result<Self, EncoderError> {
        let file = File::read(bytes, FORMAT)?;
        let width = file.length("input.bias")?;
        let pieces = file.scaled_rows("pieces", ROWS as usize, None)?;
        let layer = |n| Linear::new(&file, &format!("layer.{n}"), SPAN * width, width);
        Ok(Self {
            input: Linear::new(&file, "input", DIMENSIONS + pieces.columns() + units::FLAGS, width)?,
            pieces,
            layers: (0..DILATIONS.len()).map(layer).collect::<Result<_, _>>()?,
            all: Linear::new(&file, "all", 2 * width, width)?,
            last: Linear::new(&file, "last", width, width)?,
            output: Linear::new(&file, "output", width, 1)?,
        })
    }

    fn read(&self, text: &str, encoder: &Encoder<'_>) -> Vec<Said> {
        let units = units::units(text);
        if units.is_empty() {
            return Vec::new();
        }
        let mut x = self.input.bent(&self.seen(text, &units, encoder).view());
        for (layer, dilation) in DILATIONS.into_iter().enumerate() {
            if layer == POOLED {
                x += &self.all.bent(&with_most(&x).view());
            }
            x += &self.layers[layer].bent(&around(&x, dilation).view());
        }
        let logits = self.output.apply(&self.last.bent(&x.view()).view());
        let said = units.into_iter().zip(logits);
        said.map(|(unit, asks)| Said {
            word: units::is_word(&text[unit.span.clone()]),
            span: unit.span,
            sentence: unit.sentence,
            asks,
        })
        .collect()
    }

    /// A row for each unit.
    fn seen(&self, text: &str, units: &[units::Unit], encoder: &Encoder<'_>) -> Array2<f32> {
        let flags = units::flags(text, units);
        let mut seen = Array2::zeros((units.len(), self.input.weights.nrows()));
        for ((mut row, unit), flags) in seen.outer_iter_mut().zip(units).zip(flags) {
            let unit = &text[unit.span.clone()];
            let pieces: Vec<u32> = units::pieces(unit, ROWS);
            let mut sum = vec![0.0; self.pieces.columns()];
            self.pieces.add(&pieces, &mut sum);
            let mean = sum.into_iter().map(|x| x / pieces.len() as f32);
            let numbers = encoder.document(unit).into_iter().chain(mean).chain(flags);
            row.iter_mut().zip(numbers).for_each(|(slot, number)| *slot = number);
        }
        seen
    }
}

/// Each row with those around it; zeros where there are none.
fn around(x: &Array2<f32>, dilation: usize) -> Array2<f32> {
    let (units, width) = x.dim();
    let mut rows = Array2::zeros((units, SPAN * width));
    for (unit, mut row) in rows.outer_iter_mut().enumerate() {
        for (n, mut slot) in row.axis_chunks_iter_mut(Axis(0), width).enumerate() {
            let other = (unit + n * dilation).checked_sub(SPAN / 2 * dilation).filter(|other| *other < units);
            other.into_iter().for_each(|other| slot.assign(&x.row(other)));
        }
    }
    rows
}

/// Each row with the most of all rows.
fn with_most(x: &Array2<f32>) -> Array2<f32> {
    let most = x.fold_axis(Axis(0), 0.0, |most: &f32, x| most.max(*x));
    let mut rows = Array2::zeros((x.nrows(), 2 * x.ncols()));
    for (x, mut row) in x.outer_iter().zip(rows.outer_iter_mut()) {
        row.iter_mut().zip(x.iter().chain(&most)).for_each(|(slot, number)| *slot = *number);
    }
    rows
}
