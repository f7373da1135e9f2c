//! The question's side: a BERT transformer (Devlin et al., "BERT", 2019), the mean of what comes out for each token, and a linear map.

use std::sync::OnceLock;

use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut1, Axis, Slice};

use super::file::{EncoderError, File, Matrix, wrong};
use super::vocabulary::Vocabulary;

/// What stands before and after a question's tokens.
const AROUND: [&str; 2] = ["[CLS]", "[SEP]"];

/// Added to the variance in a layer norm.
const EPSILON: f32 = 1e-12;

/// Weights stay as they are stored until the first question.
#[derive(Debug)]
pub(crate) struct Transformer<'a> {
    vocabulary: Vocabulary<'a>,
    around: [u32; 2],
    words: Matrix<'a>,
    positions: Array2<f32>,
    norm: Norm,
    layers: Vec<Layer<'a>>,
    projection: Linear<'a>,
    heads: usize,
}

#[derive(Debug)]
struct Layer<'a> {
    /// Query, key and value, side by side.
    attention_in: Linear<'a>,
    attention_out: Linear<'a>,
    attention_norm: Norm,
    intermediate: Linear<'a>,
    output: Linear<'a>,
    output_norm: Norm,
}

/// A linear map, or several of one input side by side.
#[derive(Debug)]
struct Linear<'a> {
    stored: Vec<Matrix<'a>>,
    bias: Array1<f32>,
    weight: OnceLock<Array2<f32>>,
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
        let words = file.matrix("question.words", Some(vocabulary.list().count()), None)?;
        let hidden = words.columns();
        let heads = file.number("heads", "a number that divides the width", |n| *n > 0 && hidden.is_multiple_of(*n))?;
        let positions = file.rows("question.positions", hidden)?;
        let layer = |n| Layer::new(file, &format!("question.layer.{n}"), hidden);
        let projection = file.matrix("question.projection", Some(dimensions), Some(hidden))?;
        Ok(Self {
            norm: Norm::new(file, "question.norm", hidden)?,
            layers: (0..layers).map(layer).collect::<Result<_, _>>()?,
            projection: Linear::new(vec![projection], Array1::zeros(dimensions)),
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
                self.words.add_row(token as usize, row);
            }
        }
        self.norm.apply(&mut x);
        for layer in &self.layers {
            x = layer.apply(x, self.heads);
        }
        let mean = x.mean_axis(Axis(0)).unwrap_or_default();
        Some(self.projection.apply(mean.insert_axis(Axis(0)).view()).into_raw_vec_and_offset().0)
    }

    /// Whether a question was read, and the weights with it.
    #[cfg(test)]
    pub(crate) fn is_unpacked(&self) -> bool {
        self.projection.weight.get().is_some()
    }
}

impl<'a> Layer<'a> {
    fn new(file: &File<'a>, name: &str, hidden: usize) -> Result<Self, EncoderError> {
        let linear = |parts: &[&str], rows: Option<usize>, columns: Option<usize>| {
            let matrix = |part| file.matrix(&format!("{name}.{part}"), rows, columns);
            let stored: Vec<_> = parts.iter().map(matrix).collect::<Result<_, _>>()?;
            let mut bias = Vec::new();
            for (part, matrix) in parts.iter().zip(&stored) {
                bias.extend(file.row(&format!("{name}.{part}.bias"), matrix.rows())?);
            }
            Ok(Linear::new(stored, bias.into()))
        };
        let intermediate = linear(&["intermediate"], None, Some(hidden))?;
        Ok(Self {
            attention_in: linear(&["query", "key", "value"], Some(hidden), Some(hidden))?,
            attention_out: linear(&["attention"], Some(hidden), Some(hidden))?,
            attention_norm: Norm::new(file, &format!("{name}.attention.norm"), hidden)?,
            output: linear(&["output"], Some(hidden), Some(intermediate.bias.len()))?,
            output_norm: Norm::new(file, &format!("{name}.output.norm"), hidden)?,
            intermediate,
        })
    }

    fn apply(&self, x: Array2<f32>, heads: usize) -> Array2<f32> {
        let attended = attention(self.attention_in.apply(x.view()).view(), heads);
        let mut x = self.attention_out.apply(attended.view()) + x;
        self.attention_norm.apply(&mut x);
        let mut between = self.intermediate.apply(x.view());
        between.mapv_inplace(gelu);
        let mut x = self.output.apply(between.view()) + x;
        self.output_norm.apply(&mut x);
        x
    }
}

impl<'a> Linear<'a> {
    fn new(stored: Vec<Matrix<'a>>, bias: Array1<f32>) -> Self {
        Self { stored, bias, weight: OnceLock::new() }
    }

    fn apply(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        x.dot(self.weight.get_or_init(|| self.unpacked())) + &self.bias
    }

    /// The numbers as a product takes them fastest: an input's row, an output's column.
    fn unpacked(&self) -> Array2<f32> {
        let mut weight = Array2::zeros((self.stored.first().map_or(0, Matrix::columns), self.bias.len()));
        let mut rest = weight.view_mut();
        for part in &self.stored {
            let (own, others) = rest.split_at(Axis(1), part.rows());
            part.unpack_transposed(own);
            rest = others;
        }
        weight
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
fn attention(x: ArrayView2<'_, f32>, heads: usize) -> Array2<f32> {
    let hidden = x.ncols() / 3;
    let width = hidden / heads;
    let mut attended = Array2::zeros((x.nrows(), hidden));
    for head in 0..heads {
        let place = |of: usize| Slice::from(of * hidden + head * width..of * hidden + (head + 1) * width);
        let [query, key, value] = [0, 1, 2].map(|of| x.slice_axis(Axis(1), place(of)));
        let mut scores = query.dot(&key.t()) / (width as f32).sqrt();
        scores.rows_mut().into_iter().for_each(softmax);
        attended.slice_axis_mut(Axis(1), place(0)).assign(&scores.dot(&value));
    }
    attended
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

/// The error function to 1.5e-7: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
fn erf(x: f32) -> f32 {
    const P: f32 = 0.327_591_1;
    const A: [f32; 5] = [0.254_829_6, -0.284_496_74, 1.421_413_7, -1.453_152, 1.061_405_4];
    let t = 1.0 / (1.0 + P * x.abs());
    let sum = A.iter().rev().fold(0.0, |sum, a| (sum + a) * t);
    (1.0 - sum * (-x * x).exp()).copysign(x)
}
