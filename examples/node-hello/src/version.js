// The build writes the real one to dist/.
export const version = '0.0.0-development';
