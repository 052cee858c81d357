// SPDX-License-Identifier: MIT
// What a row tells about the model without asking the daemon: name, tokens, speed. The spellings that servers use most; the
// whole table is docs/llm-fields.md, and the detail panel shows what the daemon has read with it.

export interface LlmFields {
  model: string;
  inputTokens: number | null;
  outputTokens: number | null;
  /** Output tokens a second while decoding. */
  speed: number | null;
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path of keys and indexes; undefined where there is none. */
export function at(value: Json | undefined, ...path: (string | number)[]): Json | undefined {
  let here: Json | undefined = value;
  for (const step of path) {
    if (Array.isArray(here) && typeof step === 'number') here = here[step];
    else if (isObject(here) && typeof step === 'string' && Object.hasOwn(here, step)) here = here[step];
    else return undefined;
  }
  return here;
}

const inputs = [
  ['usage', 'prompt_tokens'], ['usage', 'input_tokens'], ['prompt_eval_count'], ['tokens_evaluated'], ['timings', 'prompt_n'],
  ['gen_ai.usage.input_tokens'], ['prompt_tokens'], ['input_tokens'],
];
const outputs = [
  ['usage', 'completion_tokens'], ['usage', 'output_tokens'], ['eval_count'], ['timings', 'predicted_n'],
  ['tokens_predicted'], ['gen_ai.usage.output_tokens'], ['completion_tokens'], ['output_tokens'],
];

export function llmFields(record: JsonObject): LlmFields {
  const answer = record['response_body'];
  const last = Array.isArray(answer) ? answer[answer.length - 1] : answer;
  const places = [last, record, record['attributes']].filter(isObject);
  const outputTokens = firstNumber(places, outputs);
  return {
    model: modelOf(record, isObject(last) ? last : {}),
    inputTokens: firstNumber(places, inputs),
    outputTokens,
    speed: speedOf(places, outputTokens),
  };
}

function modelOf(record: JsonObject, answer: JsonObject): string {
  const asked = record['request_body'];
  for (const place of [answer, isObject(asked) ? asked : {}, record, isObject(record['attributes']) ? record['attributes'] : {}]) {
    for (const key of ['model', 'model_name', 'gen_ai.response.model', 'gen_ai.request.model']) {
      const found = at(place, key);
      if (typeof found === 'string' && found !== '') return found;
    }
  }
  return '';
}

function firstNumber(places: JsonObject[], paths: string[][]): number | null {
  for (const path of paths) {
    for (const place of places) {
      const found = at(place, ...path);
      if (typeof found === 'number' && found >= 0) return found;
    }
  }
  return null;
}

function speedOf(places: JsonObject[], tokens: number | null): number | null {
  const told = firstNumber(places, [['timings', 'predicted_per_second'], ['metrics', 'tokens_per_second']]);
  if (told !== null) return told;
  if (tokens === null || tokens < 2) return null;
  const nanoseconds = firstNumber(places, [['eval_duration']]);
  const milliseconds = nanoseconds !== null ? nanoseconds / 1e6
    : firstNumber(places, [['timings', 'predicted_ms'], ['metrics', 'generation_time_ms']]);
  const seconds = milliseconds !== null ? milliseconds / 1e3 : firstNumber(places, [['generation_time']]);
  return seconds ? tokens / seconds : null;
}
