// From values to places on an axis, and which values an axis names.

/** A linear scale from [low, high] to the length of an axis. */
export function linear(low, high) {
  const span = high - low || 1;
  return { low, high, place: (value) => (value - low) / span, value: (place) => low + place * span, ticks: roundTicks };
}

/** A scale of log10. low is above 0. */
export function logarithmic(low, high) {
  const [first, last] = [Math.log10(low), Math.log10(high)];
  const span = last - first || 1;
  return {
    low,
    high,
    place: (value) => (Math.log10(value) - first) / span,
    value: (place) => 10 ** (first + place * span),
    ticks: () => decades(low, high),
  };
}

/** A scale of normal deviates, for error rates: where both scores are normal a DET is a straight line on it
 * (Martin et al. 1997). low, high: in (0, 1). */
export function deviates(low, high) {
  const [first, last] = [deviate(low), deviate(high)];
  const span = last - first || 1;
  return {
    low,
    high,
    place: (value) => (deviate(Math.min(Math.max(value, 1e-9), 1 - 1e-9)) - first) / span,
    value: (place) => probability(first + place * span),
    ticks: () => RATES.filter((rate) => rate >= low && rate <= high),
  };
}

const RATES = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.98, 0.99, 0.998, 0.999];

// Narrower than so, in deviates, an axis would make a canyon of a scratch.
const LEAST_SPAN = 1.6;

/** Ends for an axis of rates that holds all of these, none of them 0 or 1. */
export function endsOfRates(rates) {
  const inside = rates.filter((rate) => rate > 0 && rate < 1);
  if (!inside.length) return [0.001, 0.5];
  const [low, high] = [Math.min(...inside), Math.max(...inside)];
  const below = deviate(low) - 0.15;
  return [probability(below), probability(Math.max(deviate(high) + 0.15, below + LEAST_SPAN))];
}

/** z with P(Z < z) = p, to 1e-9: Acklam's rational approximations. */
export function deviate(p) {
  if (p < 0.02425) return tail(Math.sqrt(-2 * Math.log(p)));
  if (p > 1 - 0.02425) return -tail(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5;
  const r = q * q;
  const over = polynomial(r, [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269,
    -30.66479806614716, 2.506628277459239]);
  const under = polynomial(r, [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972,
    -13.28068155288572, 1]);
  return (q * over) / under;
}

function tail(q) {
  const over = polynomial(q, [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
    4.374664141464968, 2.938163982698783]);
  const under = polynomial(q, [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1]);
  return over / under;
}

const polynomial = (x, factors) => factors.reduce((sum, factor) => sum * x + factor, 0);

/** P(Z < z), by halving what `deviate` answers: axes ask it a few times, curves never do. */
export function probability(z) {
  let [low, high] = [1e-12, 1 - 1e-12];
  for (let turn = 0; turn < 60; turn += 1) {
    const middle = (low + high) / 2;
    if (deviate(middle) < z) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Round numbers between the ends, about `count` of them. */
export function roundTicks(low, high, count = 5) {
  if (!(high > low)) return [low];
  const rough = (high - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? 10 * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function decades(low, high) {
  const found = [];
  for (let power = Math.ceil(Math.log10(low) - 1e-9); 10 ** power <= high * (1 + 1e-9); power += 1) found.push(10 ** power);
  return found;
}
