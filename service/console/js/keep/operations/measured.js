// What two looks at a process say about the time between them: its counters only ever grow.

/** before: null at the first look. route: whose times are drawn. Gives values by the names of the panels; null where there is nothing to say. */
export function measured(before, now, route) {
  const passed = before ? Math.max(now.at - before.at, 1e-3) : null;
  const each = (count) => (passed ? Math.max(count(now) - count(before), 0) / passed : null);
  const values = { answered: each(allAnswered), failed: each((one) => one.routes.reduce((sum, { failed }) => sum + failed, 0)), ...quantiles(now.routes.find((each) => named(each) === route)) };
  for (const queue of now.queues) {
    values[queue.stage] = queue.waiting;
    values[`${queue.stage}_items`] = items(before?.queues.find(({ stage }) => stage === queue.stage), queue);
  }
  return values;
}

const named = ({ method, route }) => `${method} ${route}`;

/** The route that most of the work comes by: what is posted, else what is asked. */
export function mainRoute({ routes }) {
  const asked = [...routes].sort((a, b) => total(b) - total(a)).filter((each) => each.method === "POST");
  return asked.length ? named(asked[0]) : "POST /identify";
}

export const total = ({ answered }) => Object.values(answered).reduce((sum, count) => sum + count, 0);

const allAnswered = ({ routes }) => routes.reduce((sum, route) => sum + total(route), 0);

const quantiles = (route) => (route?.times ? { p50: route.times.p50, p95: route.times.p95, p99: route.times.p99 } : {});

/** Mean items of the batches since the last look. */
function items(before, now) {
  if (!before) return now.items;
  const batches = now.batches - before.batches;
  return batches > 0 ? (now.items * now.batches - (before.items ?? 0) * before.batches) / batches : null;
}
