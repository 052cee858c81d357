// SPDX-License-Identifier: MIT
// Prompt and answer as people read them, from the bodies of the usual APIs (OpenAI chat, completions and responses, Anthropic,
// Ollama, llama.cpp, and plain question/answer apps). What is not recognised is left to the JSON tree.

import { at, isObject, type Json, type JsonObject } from './llm_fields.js';

export type Role = 'system' | 'user' | 'assistant' | 'tool' | 'other';

export interface Part {
  kind: 'text' | 'thinking' | 'tool_call' | 'tool_result' | 'media';
  text: string;
  /** Of a tool its name, of media its type. */
  name?: string;
}

export interface Turn {
  role: Role;
  /** As it was sent, if that is none of the known roles. */
  label: string;
  parts: Part[];
}

const roles: Record<string, Role> = {
  system: 'system', developer: 'system', user: 'user', human: 'user', assistant: 'assistant', model: 'assistant', tool: 'tool', function: 'tool',
};

/** The turns that a request's body asks with, oldest first. */
export function requestTurns(body: Json | undefined): Turn[] {
  if (typeof body === 'string') return body ? [turn('user', [text(body)])] : [];
  if (!isObject(body)) return [];
  const turns: Turn[] = [];
  const system = at(body, 'system') ?? at(body, 'system_prompt') ?? at(body, 'instructions');
  add(turns, 'system', system);
  for (const key of ['messages', 'input', 'contents', 'history']) {
    const list = at(body, key);
    if (Array.isArray(list)) list.forEach((message) => addMessage(turns, message));
  }
  for (const key of ['prompt', 'question', 'query', 'input', 'message', 'text']) {
    const value = at(body, key);
    if (typeof value === 'string') add(turns, 'user', value);
    else if (key === 'prompt' && Array.isArray(value)) value.forEach((one) => add(turns, 'user', one));
  }
  return turns;
}

/** What a response's body answers. */
export function responseTurns(body: Json | undefined): Turn[] {
  if (typeof body === 'string') return body ? [turn('assistant', [text(body)])] : [];
  if (Array.isArray(body)) return joined(body.map((chunk) => responseTurns(chunk)));
  if (!isObject(body)) return [];
  const turns: Turn[] = [];
  const choices = at(body, 'choices');
  if (Array.isArray(choices)) {
    for (const choice of choices) {
      const message = at(choice, 'message') ?? at(choice, 'delta');
      if (isObject(message)) addMessage(turns, message, 'assistant');
      else add(turns, 'assistant', at(choice, 'text'));
    }
  }
  const message = at(body, 'message');
  if (isObject(message)) addMessage(turns, message, 'assistant');
  if (turns.length === 0 && typeof at(body, 'thinking') === 'string') {
    turns.push(turn('assistant', [{ kind: 'thinking', text: String(at(body, 'thinking')) }]));
  }
  for (const key of ['response', 'answer', 'content', 'output', 'output_text', 'completion', 'generated_text', 'result', 'text']) {
    const value = at(body, key);
    if (key === 'output' && Array.isArray(value)) value.forEach((item) => addMessage(turns, item, 'assistant'));
    else if (typeof value === 'string' || Array.isArray(value)) add(turns, 'assistant', value);
    if (turns.some((one) => one.parts.some((part) => part.kind === 'text'))) break;
  }
  return turns;
}

/** What a body says went wrong; empty if nothing does. */
export function errorText(body: Json | undefined): string {
  const error = at(body, 'error') ?? at(body, 'detail') ?? at(body, 'exception');
  if (typeof error === 'string') return error;
  const message = at(error, 'message');
  if (typeof message === 'string') return message;
  return error === undefined || error === null || error === false ? '' : JSON.stringify(error);
}

/** The last user text, for a row. */
export function promptPreview(body: Json | undefined): string {
  const turns = requestTurns(body);
  for (let i = turns.length - 1; i >= 0; i -= 1) {
    if (turns[i]?.role === 'user') return plain(turns[i] as Turn);
  }
  return turns.length > 0 ? plain(turns[turns.length - 1] as Turn) : '';
}

export function answerPreview(body: Json | undefined): string {
  return responseTurns(body).map(plain).join(' ');
}

function plain(one: Turn): string {
  return one.parts.map((part) => (part.kind === 'text' ? part.text : part.kind === 'tool_call' ? `⚙ ${part.name ?? ''}` : '')).join(' ').trim();
}

function turn(role: Role, parts: Part[], label = ''): Turn {
  return { role, label, parts };
}

function text(value: string): Part {
  return { kind: 'text', text: value };
}

function add(turns: Turn[], role: Role, value: Json | undefined): void {
  const parts = partsOf(value);
  if (parts.length > 0) turns.push(turn(role, parts));
}

function addMessage(turns: Turn[], message: Json, fallback: Role = 'user'): void {
  if (typeof message === 'string') {
    add(turns, fallback, message);
    return;
  }
  if (!isObject(message)) return;
  const told = at(message, 'role');
  const label = typeof told === 'string' ? told : '';
  const role = label ? (roles[label] ?? 'other') : fallback;
  const parts: Part[] = [];
  for (const key of ['reasoning_content', 'reasoning', 'thinking']) {
    const value = at(message, key);
    if (typeof value === 'string' && value) parts.push({ kind: 'thinking', text: value });
  }
  const content = at(message, 'content') ?? at(message, 'parts') ?? at(message, 'text');
  const fromContent = partsOf(content);
  parts.push(...(role === 'tool' ? fromContent.map((part): Part => (part.kind === 'text' ? { ...part, kind: 'tool_result' } : part)) : fromContent));
  if (fromContent.length === 0) parts.push(...partsOf([message]).filter((part) => part.kind !== 'text'));
  const images = at(message, 'images');
  if (Array.isArray(images)) images.forEach((image) => parts.push(media('image', image)));
  const calls = at(message, 'tool_calls');
  if (Array.isArray(calls)) calls.forEach((call) => parts.push(toolCall(at(call, 'function') ?? call)));
  if (parts.length > 0) turns.push(turn(role, parts, role === 'other' ? label : ''));
}

function partsOf(value: Json | undefined): Part[] {
  if (typeof value === 'string') return value ? [text(value)] : [];
  if (!Array.isArray(value)) return [];
  return value.flatMap((item): Part[] => {
    if (typeof item === 'string') return [text(item)];
    if (!isObject(item)) return [];
    const type = String(at(item, 'type') ?? '');
    if (type === 'thinking' || type === 'reasoning') {
      return [{ kind: 'thinking', text: String(at(item, 'thinking') ?? at(item, 'text') ?? at(item, 'summary', 0, 'text') ?? '') }];
    }
    if (type === 'tool_use' || type === 'function_call') return [toolCall(item)];
    if (type === 'tool_result' || type === 'function_call_output') {
      const content = at(item, 'content') ?? at(item, 'output');
      return [{ kind: 'tool_result', text: typeof content === 'string' ? content : JSON.stringify(content ?? null, null, 2) }];
    }
    if (/image|audio|file|video/.test(type)) {
      return [media(type, at(item, 'image_url', 'url') ?? at(item, 'source', 'data') ?? at(item, 'image_url') ?? at(item, 'input_audio', 'data') ?? '')];
    }
    const inner = at(item, 'text');
    return typeof inner === 'string' ? [text(inner)] : [];
  });
}

function toolCall(call: Json): Part {
  const given = at(call, 'arguments') ?? at(call, 'input') ?? null;
  return { kind: 'tool_call', name: String(at(call, 'name') ?? ''), text: typeof given === 'string' ? given : JSON.stringify(given, null, 2) };
}

function media(type: string, data: Json): Part {
  const value = typeof data === 'string' ? data : JSON.stringify(data);
  const found = /^data:([\w./+-]{1,60})[;,]/.exec(value.slice(0, 100));
  return { kind: 'media', name: found?.[1] ?? type, text: found || value.length > 200 ? `${value.length} characters` : value };
}

// The chunks of one streamed answer say one thing.
function joined(chunks: Turn[][]): Turn[] {
  const parts: Part[] = [];
  for (const part of chunks.flat().flatMap((one) => one.parts)) {
    const last = parts[parts.length - 1];
    if (last && last.kind === part.kind && (part.kind === 'text' || part.kind === 'thinking')) last.text += part.text;
    else parts.push({ ...part });
  }
  return parts.length > 0 ? [turn('assistant', parts)] : [];
}

export type { JsonObject };
