import { expect, test } from "bun:test";
import { GitBudget } from "../../src/source/git-budget.ts";

test("the clock runs while a call does, once for those at one time, and stands still between them", async () => {
  let now = 1000;
  const budget = new GitBudget(100, () => now);
  const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  now += 500;
  expect(budget.left).toBe(100);
  const one = budget.spend(async () => first.promise);
  now += 10;
  const two = budget.spend(async () => second.promise);
  now += 20;
  expect(budget.left).toBe(70);
  first.resolve("first");
  expect(await one).toBe("first");
  now += 5;
  second.reject(new Error("stopped"));
  expect(two).rejects.toThrow("stopped");
  await two.catch(() => {});
  expect(budget.left).toBe(65);
  now += 500;
  expect(budget.left).toBe(65);
  const three = budget.spend(async () => first.promise);
  now += 65;
  expect(budget.left).toBe(0);
  await three;
  expect(budget.left).toBe(0);
});
