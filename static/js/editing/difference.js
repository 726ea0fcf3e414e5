// What changed between two texts, character by character. Pure.

// Parts in order: ["same" | "removed" | "added", text].
export function difference(before, after) {
  const one = [...before];
  const two = [...after];
  let start = 0;
  while (start < one.length && start < two.length && one[start] === two[start]) start += 1;
  let end = 0;
  while (end < one.length - start && end < two.length - start && one[one.length - 1 - end] === two[two.length - 1 - end]) end += 1;
  const parts = [
    ["same", one.slice(0, start).join("")],
    ...middle(one.slice(start, one.length - end), two.slice(start, two.length - end)),
    ["same", one.slice(one.length - end).join("")],
  ];
  return joined(parts);
}

// By the longest common subsequence; for what is too long for that, all of it is replaced.
function middle(one, two) {
  if (one.length * two.length > 1e6) return [["removed", one.join("")], ["added", two.join("")]];
  const width = two.length + 1;
  const common = new Uint16Array((one.length + 1) * width);
  for (let i = one.length - 1; i >= 0; i -= 1) {
    for (let j = two.length - 1; j >= 0; j -= 1) {
      common[i * width + j] =
        one[i] === two[j] ? common[(i + 1) * width + j + 1] + 1 : Math.max(common[(i + 1) * width + j], common[i * width + j + 1]);
    }
  }
  const parts = [];
  let i = 0;
  let j = 0;
  while (i < one.length || j < two.length) {
    if (i < one.length && j < two.length && one[i] === two[j]) {
      parts.push(["same", one[i]]);
      i += 1;
      j += 1;
    } else if (j >= two.length || (i < one.length && common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      parts.push(["removed", one[i]]);
      i += 1;
    } else {
      parts.push(["added", two[j]]);
      j += 1;
    }
  }
  return parts;
}

function joined(parts) {
  const result = [];
  for (const [kind, text] of parts) {
    if (!text) continue;
    if (result.at(-1)?.[0] === kind) result.at(-1)[1] += text;
    else result.push([kind, text]);
  }
  return result;
}
