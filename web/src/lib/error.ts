export const message_of = (error: unknown): string => (error instanceof Error ? error.message : String(error));
