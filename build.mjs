// Builds the published command: one bundle for the command line and one for the campaign's workers.
// A TypeScript loader would cost most of a second at each start, and does not load in worker threads.
