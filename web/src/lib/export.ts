// A conversation as Markdown, and a request as the command or the program that repeats it.
import type { Body } from './api/wire';
import { path, type Conversation } from './conversation';

export function to_markdown(conversation: Conversation): string {
  const system = conversation.system.trim() === '' ? '' : `> ${conversation.system.trim().replace(/\n/g, '\n> ')}\n\n`;
  const heading = `# ${conversation.title || conversation.kind}\n\n${system}`;
  if (conversation.kind === 'completion') return `${heading}${path(conversation).map(({ text }) => text).join('')}\n`;
  return heading + path(conversation).map(({ role, text }) => `**${role}**\n\n${text.trim()}\n`).join('\n');
}

const shell_quoted = (text: string): string => `'${text.replace(/'/g, `'\\''`)}'`;

export function to_curl(origin: string, endpoint: string, body: Body): string {
  const stream = body['stream'] === true ? ' -N' : '';
  return `curl${stream} ${origin}${endpoint} \\\n  -H 'Content-Type: application/json' \\\n  -d ${shell_quoted(JSON.stringify(body))}\n`;
}

// JSON's strings are Python's: both know the same escapes.
export function to_python_literal(value: unknown, indent = ''): string {
  const inner = `${indent}    `;
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== 'object')) return `[${value.map((item) => to_python_literal(item)).join(', ')}]`;
    return `[\n${value.map((item) => `${inner}${to_python_literal(item, inner)},\n`).join('')}${indent}]`;
  }
  if (typeof value === 'object') {
    const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${to_python_literal(item, inner)}`);
    return members.join(', ').length < 80 && !members.some((member) => member.includes('\n')) ? `{${members.join(', ')}}`
                                                                    : `{\n${members.map((member) => `${inner}${member},\n`).join('')}${indent}}`;
  }
  return JSON.stringify(value);
}

const openai_members = new Set([
  'model', 'messages', 'prompt', 'temperature', 'top_p', 'max_tokens', 'max_completion_tokens', 'seed', 'stop', 'presence_penalty', 'frequency_penalty',
  'logit_bias', 'logprobs', 'top_logprobs', 'response_format', 'stream', 'stream_options',
]);

// With the openai package; members that only local servers know travel in extra_body.
export function to_python(origin: string, endpoint: string, body: Body): string {
  const entries: [string, unknown][] = Object.entries({ model: 'default', ...body });
  const extra = Object.fromEntries(entries.filter(([key]) => !openai_members.has(key)));
  const own = entries.filter(([key]) => openai_members.has(key));
  if (Object.keys(extra).length > 0) own.push(['extra_body', extra]);
  const is_chat = endpoint === '/v1/chat/completions';
  const text = is_chat ? 'chunk.choices[0].delta.content or ""' : 'chunk.choices[0].text';
  return `from openai import OpenAI

client = OpenAI(base_url=${JSON.stringify(`${origin}/v1`)}, api_key="none")
stream = client.${is_chat ? 'chat.completions' : 'completions'}.create(
${own.map(([key, value]) => `    ${key}=${to_python_literal(value, '    ')},\n`).join('')})
for chunk in stream:
    if chunk.choices:
        print(${text}, end="", flush=True)
print()
`;
}
