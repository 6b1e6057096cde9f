import type { EngineName } from '../../engine/endpoint/choose-endpoint.ts';

export type EngineChoice = EngineName;
