// Names of conversations, messages and saved things. crypto.randomUUID is missing on pages that were not served over TLS or from this machine.
export const new_id = (): string => Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');
