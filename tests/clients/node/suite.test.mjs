// The AI SDK's OpenAI-compatible provider, and the `openai` and `ollama` packages for JavaScript.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { embedMany, generateText, Output, stepCountIs, streamText, tool } from 'ai';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { z } from 'zod';

const url = process.env.ANWEN_URL;
const anwen = createOpenAICompatible({
  name: 'anwen',
  baseURL: `${url}/v1`,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const model = anwen.chatModel('stub');
const prompt = 'What is the capital of France?';
const town = z.object({ name: z.string(), people: z.number().int() });
const tools = {
  get_current_weather: tool({
    description: 'The weather at a place.',
    inputSchema: z.object({ location: z.string() }),
    execute: async ({ location }) => `snow in ${location}`,
  }),
};

test('AI SDK: text with its usage', async () => {
  const answer = await generateText({ model, prompt, maxRetries: 0 });
  assert.equal(answer.text, 'Paris is it.');
  assert.equal(answer.usage.outputTokens, 3);
  assert.equal(answer.finishReason, 'stop');
});

test('AI SDK: a stream', async () => {
  const answer = streamText({ model, prompt });
  let text = '';
  for await (const part of answer.textStream) text += part;
  assert.equal(text, 'Paris is it.');
  assert.equal((await answer.usage).outputTokens, 3);
});

test('AI SDK: a tool is called, run and answered', async () => {
  const answer = await generateText({
    model,
    tools,
    prompt: 'How is the weather in Boston?',
    stopWhen: stepCountIs(3),
  });
  assert.equal(answer.steps.length, 2);
  assert.deepEqual(answer.steps[0].toolCalls[0].input, { location: 'Boston' });
  assert.equal(answer.steps[0].toolResults[0].output, 'snow in Boston');
  assert.ok(answer.text.length > 0);
});

test('AI SDK: a tool is called in a stream', async () => {
  const answer = streamText({ model, tools, prompt: 'How is the weather in Boston?', toolChoice: 'required' });
  const calls = await answer.toolCalls;
  assert.equal(calls[0].toolName, 'get_current_weather');
});

test('AI SDK: an object of a schema', async () => {
  const { output } = await generateText({ model, prompt, output: Output.object({ schema: town }) });
  assert.ok(town.safeParse(output).success);
});

test('AI SDK: thinking', async () => {
  const answer = await generateText({
    model,
    prompt,
    providerOptions: { anwen: { reasoningEffort: 'low' } },
  });
  assert.equal(answer.reasoningText, 'Let me think.');
});

test('AI SDK: a completion model', async () => {
  const answer = await generateText({ model: anwen.completionModel('stub'), prompt });
  assert.equal(answer.text, 'Paris is it.');
});

test('AI SDK: embeddings', async () => {
  const { embeddings } = await embedMany({ model: anwen.textEmbeddingModel('embedding'), values: ['one', 'two'] });
  assert.deepEqual([embeddings.length, embeddings[0].length], [2, 512]);
});

test('AI SDK: a failure is told', async () => {
  await assert.rejects(generateText({ model: anwen.chatModel('nowhere'), prompt, maxRetries: 0 }), /nowhere/);
});

test('openai: a stream of several choices', async () => {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
  const texts = ['', ''];
  const messages = [{ role: 'user', content: prompt }];
  for await (const chunk of await client.chat.completions.create({ model: 'stub', messages, n: 2, stream: true })) {
    for (const choice of chunk.choices) texts[choice.index] += choice.delta.content ?? '';
  }
  assert.deepEqual(texts, ['Paris is it.', 'Paris is it.']);
});

test('ollama: chat, embed and list', async () => {
  const client = new Ollama({ host: url });
  const messages = [{ role: 'user', content: prompt }];
  let text = '';
  for await (const part of await client.chat({ model: 'stub', messages, stream: true })) text += part.message.content;
  assert.equal(text, 'Paris is it.');
  assert.equal((await client.embed({ model: 'embedding', input: 'one' })).embeddings[0].length, 512);
  assert.ok((await client.list()).models.some((entry) => entry.name === 'stub:latest'));
});
