// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answerPreview, errorText, promptPreview, requestTurns, responseTurns, type Turn } from '../../static/src/model/conversation.js';
import { llmFields, type Json, type JsonObject } from '../../static/src/model/llm_fields.js';

const flat = (turns: Turn[]): string[] => turns.flatMap((turn) => turn.parts.map((part) => `${turn.role} ${part.kind} ${part.name ? `${part.name} ` : ''}${part.text}`));

test('what is asked, in the words of each API', () => {
  const cases: [string, Json, string[]][] = [
    ['openai chat', { messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: [{ type: 'text', text: 'What is it?' }, { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] }] },
      ['system text Be brief.', 'user text What is it?', 'user media image/png 26 characters']],
    ['openai tools', { messages: [{ role: 'assistant', content: null, tool_calls: [{ function: { name: 'add', arguments: '{"a":1}' } }] }, { role: 'tool', content: '2' }] },
      ['assistant tool_call add {"a":1}', 'tool tool_result 2']],
    ['openai responses', { instructions: 'Be brief.', input: 'Hello' }, ['system text Be brief.', 'user text Hello']],
    ['anthropic', { system: [{ type: 'text', text: 'S' }], messages: [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: [{ type: 'thinking', thinking: 'hm' }, { type: 'tool_use', name: 'f', input: { x: 1 } }] }] },
      ['system text S', 'user text Hi', 'assistant thinking hm', 'assistant tool_call f {\n  "x": 1\n}']],
    ['ollama generate', { model: 'm', prompt: 'Why?', system: 'S' }, ['system text S', 'user text Why?']],
    ['plain app', { question: 'Hello, how are you?', model_name: 'llama' }, ['user text Hello, how are you?']],
    ['a string', 'just text', ['user text just text']],
    ['another role', { messages: [{ role: 'critic', content: 'no' }] }, ['other text no']],
  ];
  for (const [name, body, expected] of cases) assert.deepEqual(flat(requestTurns(body)), expected, name);
});

test('what is answered, in the words of each API', () => {
  const cases: [string, Json, string[]][] = [
    ['openai chat', { choices: [{ message: { role: 'assistant', reasoning_content: 'hm', content: 'Yes.' } }] }, ['assistant thinking hm', 'assistant text Yes.']],
    ['openai completion', { choices: [{ text: 'Yes.' }] }, ['assistant text Yes.']],
    ['openai responses', { output: [{ type: 'reasoning', summary: [{ text: 'hm' }] }, { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Yes.' }] }] },
      ['assistant thinking hm', 'assistant text Yes.']],
    ['anthropic', { content: [{ type: 'text', text: 'Yes.' }], stop_reason: 'end_turn' }, ['assistant text Yes.']],
    ['ollama chat', { message: { role: 'assistant', content: 'Yes.' }, done: true }, ['assistant text Yes.']],
    ['llama.cpp', { content: 'Yes.', timings: {} }, ['assistant text Yes.']],
    ['plain app', { success: true, response: 'Hello!' }, ['assistant text Hello!']],
    ['chunks of a stream', [{ choices: [{ delta: { role: 'assistant', content: 'Y' } }] }, { choices: [{ delta: { content: 'es.' } }] }], ['assistant text Yes.']],
    ['nothing', { ok: true }, []],
  ];
  for (const [name, body, expected] of cases) assert.deepEqual(flat(responseTurns(body)), expected, name);
});

test('hostile shapes do not break it', () => {
  for (const body of [null, 7, [], {}, { messages: 7 }, { messages: [null, 7, 'x', [], { content: { a: 1 } }] }, { choices: [null, {}] }, { content: [[[]]] }, { output: [7] }, { messages: [{ role: {}, content: [] }] }] as Json[]) {
    requestTurns(body);
    responseTurns(body);
    errorText(body);
  }
  assert.equal(Object.hasOwn(Object.prototype, 'x'), false);
});

test('previews and errors', () => {
  assert.equal(promptPreview({ messages: [{ role: 'user', content: 'one' }, { role: 'assistant', content: 'two' }, { role: 'user', content: 'three' }] }), 'three');
  assert.equal(answerPreview({ response: 'yes' }), 'yes');
  assert.equal(errorText({ error: 'Model not found' }), 'Model not found');
  assert.equal(errorText({ error: { message: 'no', code: 5 } }), 'no');
  assert.equal(errorText({ error: { code: 5 } }), '{"code":5}');
  assert.equal(errorText({ error: null }), '');
});

test('model, tokens and speed of a row', () => {
  const cases: [string, JsonObject, [string, number | null, number | null, number | null]][] = [
    ['openai', { response_body: { model: 'm', usage: { prompt_tokens: 3, completion_tokens: 5 } } }, ['m', 3, 5, null]],
    ['ollama', { response_body: { model: 'm', prompt_eval_count: 3, eval_count: 10, eval_duration: 2e9 } }, ['m', 3, 10, 5]],
    ['llama.cpp', { response_body: { tokens_evaluated: 3, timings: { predicted_n: 4, predicted_per_second: 44 } } }, ['', 3, 4, 44]],
    ['seed', { request_body: { model_name: 'l' }, response_body: { generation_time: 2 } }, ['l', null, null, null]],
    ['otel', { attributes: { 'gen_ai.response.model': 'g', 'gen_ai.usage.output_tokens': 9 } }, ['g', null, 9, null]],
    ['none', { message: 'x' }, ['', null, null, null]],
  ];
  for (const [name, record, [model, inputTokens, outputTokens, speed]] of cases) {
    assert.deepEqual(llmFields(record), { model, inputTokens, outputTokens, speed }, name);
  }
});
