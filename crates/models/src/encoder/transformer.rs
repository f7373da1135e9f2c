//! The question's side: a BERT transformer (Devlin et al., "BERT", 2019), the mean of what comes out for each token, and a linear map.

use ndarray::{Array1, Array2, ArrayViewMut1, Axis, Slice};

use super::file::{EncoderError, File, Map, Rows, wrong};
use super::vocabulary::Vocabulary;

/// What stands before and after a question's tokens.
const AROUND: [&str; 2] = ["[CLS]", "[SEP]"];

/// Added to the variance in a layer norm.
const EPSILON: f32 = 1e-12;

#[derive(Debug)]
pub(crate) struct Transformer<'a> {
    vocabulary: Vocabulary<'a>,
    around: [u32; 2],
    words: Rows<'a>,
    positions: Array2<f32>,
    norm: Norm,
    layers: Vec<Layer<'a>>,
    projection: Map<'a>,
    heads: usize,
}

#[derive(Debug)]
struct Layer<'a> {
    query: Linear<'a>,
    key: Linear<'a>,
    value: Linear<'a>,
    attention: Linear<'a>,
    attention_norm: Norm,
    intermediate: Linear<'a>,
    output: Linear<'a>,
    output_norm: Norm,
}

#[derive(Debug)]
struct Linear<'a> {
    map: Map<'a>,
    bias: Array1<f32>,
}

#[derive(Debug)]
struct Norm {
    weight: Array1<f32>,
    bias: Array1<f32>,
}

impl<'a> Transformer<'a> {
    /// Takes the transformer's tensors out of a file and compares their shapes. Its vectors are `dimensions` long.
    pub(crate) fn new(file: &File<'a>, dimensions: usize) -> Result<Self, EncoderError> {
        const VOCABULARY: &str = "question.vocabulary";
        let vocabulary = file.vocabulary(VOCABULARY)?;
        let find = |token| {
            let found = vocabulary.find(token);
            found.ok_or_else(|| wrong(VOCABULARY, "lacks a token", format!("{token} among the tokens")))
        };
        let around = [find(AROUND[0])?, find(AROUND[1])?];
        let layers = file.number("layers", "a number of layers from 1 to 48", |n| (1..=48).contains(n))?;
        let words = file.scaled_rows("question.words", vocabulary.list().count(), None)?;
        let hidden = words.columns();
        let heads = file.number("heads", "a number that divides the width", |n| *n > 0 && hidden.is_multiple_of(*n))?;
        let positions = file.float_rows("question.positions", None, hidden)?;
        let layer = |n| Layer::new(file, &format!("question.layer.{n}"), hidden);
        Ok(Self {
            norm: Norm::new(file, "question.norm", hidden)?,
            layers: (0..layers).map(layer).collect::<Result<_, _>>()?,
            projection: file.map("question.projection", hidden, Some(dimensions))?,
            vocabulary,
            around,
            words,
            positions,
            heads,
        })
    }

    /// The vector of a text, not normalised; `None` if it has no known token.
    pub(crate) fn vector(&self, text: &str) -> Option<Vec<f32>> {
        let [before, after] = self.around;
        let mut tokens = self.vocabulary.tokens(text, self.positions.nrows().saturating_sub(AROUND.len()));
        if tokens.iter().all(|token| self.vocabulary.is_unknown(*token)) {
            return None;
        }
        tokens.insert(0, before);
        tokens.push(after);
        let mut x = self.positions.slice_axis(Axis(0), Slice::from(..tokens.len())).to_owned();
        for (mut row, token) in x.rows_mut().into_iter().zip(tokens) {
            if let Some(row) = row.as_slice_mut() {
                self.words.add(&[token], row);
            }
        }
        self.norm.apply(&mut x);
        for layer in &self.layers {
            x = layer.apply(x, self.heads);
        }
        let mean = x.mean_axis(Axis(0)).unwrap_or_default();
        Some(self.projection.apply(&mean.insert_axis(Axis(0))).into_raw_vec_and_offset().0)
    }

    /// Whether a question was read.
    #[cfg(test)]
    pub(crate) fn is_used(&self) -> bool {
        self.vocabulary.is_used()
    }
}

impl<'a> Layer<'a> {
    fn new(file: &File<'a>, name: &str, hidden: usize) -> Result<Self, EncoderError> {
        let linear = |part: &str, inputs, outputs| {
            let map = file.map(&format!("{name}.{part}"), inputs, outputs)?;
            let bias = file.row(&format!("{name}.{part}.bias"), map.outputs())?;
            Ok(Linear { map, bias })
        };
        let square = |part| linear(part, hidden, Some(hidden));
        let intermediate = linear("intermediate", hidden, None)?;
        Ok(Self {
            query: square("query")?,
            key: square("key")?,
            value: square("value")?,
            attention: square("attention")?,
            attention_norm: Norm::new(file, &format!("{name}.attention.norm"), hidden)?,
            output: linear("output", intermediate.bias.len(), Some(hidden))?,
            output_norm: Norm::new(file, &format!("{name}.output.norm"), hidden)?,
            intermediate,
        })
    }

    fn apply(&self, x: Array2<f32>, heads: usize) -> Array2<f32> {
        let taken = attention([&self.query, &self.key, &self.value].map(|part| part.apply(&x)), heads);
        let mut x = self.attention.apply(&taken) + x;
        self.attention_norm.apply(&mut x);
        let mut between = self.intermediate.apply(&x);
        between.mapv_inplace(gelu);
        let mut x = self.output.apply(&between) + x;
        self.output_norm.apply(&mut x);
        x
    }
}

impl Linear<'_> {
    fn apply(&self, x: &Array2<f32>) -> Array2<f32> {
        self.map.apply(x) + &self.bias
    }
}

impl Norm {
    fn new(file: &File<'_>, name: &str, hidden: usize) -> Result<Self, EncoderError> {
        let part = |part| file.row(&format!("{name}.{part}"), hidden);
        Ok(Self { weight: part("weight")?, bias: part("bias")? })
    }

    /// Layer normalisation (Ba et al., 2016) of each row.
    fn apply(&self, x: &mut Array2<f32>) {
        for mut row in x.rows_mut() {
            let mean = row.mean().unwrap_or_default();
            row -= mean;
            let variance = row.dot(&row) / row.len() as f32;
            row /= (variance + EPSILON).sqrt();
            row *= &self.weight;
            row += &self.bias;
        }
    }
}

/// What each token takes of all tokens' values, a head each for a part of their width.
fn attention([query, key, value]: [Array2<f32>; 3], heads: usize) -> Array2<f32> {
    let width = query.ncols() / heads;
    let mut taken = Array2::zeros(query.dim());
    for head in 0..heads {
        let place = Slice::from(head * width..(head + 1) * width);
        let [query, key, value] = [&query, &key, &value].map(|of| of.slice_axis(Axis(1), place));
        let mut scores = query.dot(&key.t()) / (width as f32).sqrt();
        scores.rows_mut().into_iter().for_each(softmax);
        taken.slice_axis_mut(Axis(1), place).assign(&scores.dot(&value));
    }
    taken
}

fn softmax(mut row: ArrayViewMut1<'_, f32>) {
    let most = row.fold(f32::NEG_INFINITY, |most, x| most.max(*x));
    row.mapv_inplace(|x| (x - most).exp());
    let sum = row.sum();
    row /= sum;
}

/// Gaussian error linear unit (Hendrycks and Gimpel, 2016): x times the normal distribution's share below x.
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The error function to 3e-7, without the exponential function: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.28.
fn erf(x: f32) -> f32 {
    const A: [f32; 6] = [0.070_523_08, 0.042_282_01, 0.009_270_527, 0.000_152_014_3, 0.000_276_567_2, 0.000_043_063_8];
    let sum = A.iter().rev().fold(0.0, |sum, a| (sum + a) * x.abs()) + 1.0;
    let squared = sum * sum;
    let fourth = squared * squared;
    let eighth = fourth * fourth;
    (1.0 - 1.0 / (eighth * eighth)).copysign(x)
}
