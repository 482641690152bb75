// Figures out of samples.

const sorted = (samples: readonly number[]): number[] => [...samples].sort((a, b) => a - b)

/** The smallest sample that at least `share` (0 to 1) of all reach or stay below. */
export function quantile(samples: readonly number[], share: number): number {
  const found = sorted(samples)[Math.max(Math.ceil(samples.length * share) - 1, 0)]
  if (found === undefined) throw new RangeError('no samples')
  return found
}

export function median(samples: readonly number[]): number {
  const [low, high] = [sorted(samples), samples.length >> 1]
  return samples.length % 2 === 1 ? quantile(samples, 0.5) : ((low[high - 1] ?? Number.NaN) + (low[high] ?? Number.NaN)) / 2
}

/** How much more the last `width` of `laps` take than the first. */
export const growth = (laps: readonly number[], width: number): number =>
  median(laps.slice(-width)) / median(laps.slice(0, width))
