import { Ajv } from 'ajv';

const text = { type: 'string' };
const optional = (schema: { type: string }) => ({ ...schema, type: [schema.type, 'null'] });
const variables = {
  type: ['array', 'null'],
  items: { type: 'object', required: ['variable_name', 'value'], properties: { variable_name: text, value: text } },
};

/** Object with the name of its type as its only key, as Sundial reads a union. */
function unionOf(types: Record<string, object>): object {
  return { type: 'object', minProperties: 1, maxProperties: 1, additionalProperties: false, properties: types };
}

function objectOf(required: string[], properties: Record<string, object>): object {
  return { type: 'object', required, properties };
}

const image = {
  image: text,
  tag: optional(text),
  command: { type: 'array', items: text },
  environment_variables: variables,
};
const whole = { type: 'integer' };

const task = objectOf(['task_definition_name', 'dependencies', 'executable', 'max_attempts', 'backoff_base_seconds'], {
  task_definition_name: { ...text, minLength: 1 },
  dependencies: {
    type: 'array',
    items: objectOf(['task_definition_name'], {
      task_definition_name: text,
      success_required: optional({ type: 'boolean' }),
    }),
  },
  executable: unionOf({
    batch_image_command: objectOf(['image', 'command', 'memory'], {
      ...image,
      memory: whole,
      vCpus: optional(whole),
      job_role_arn: optional(text),
      job_queue: optional(text),
    }),
    docker_image_command: objectOf(['image', 'command'], {
      ...image,
      memory: optional(whole),
      cpu: optional(whole),
      log_paths: { type: ['array', 'null'], items: text },
    }),
    shell_script_command: objectOf(['script'], { script: text, environment_variables: variables }),
    emr_command: { type: 'object' },
  }),
  max_attempts: whole,
  backoff_base_seconds: whole,
  backoff_exponent: optional({ type: 'number' }),
  require_explicit_success: optional({ type: 'boolean' }),
  max_runtime_seconds: optional(whole),
});

const cronFields = ['day_of_week', 'month', 'day_of_month', 'hours', 'minutes'];

const definition = objectOf(['process_definition_name', 'task_definitions'], {
  process_definition_name: { ...text, minLength: 1 },
  process_description: optional(text),
  paused: optional({ type: 'boolean' }),
  overlap_action: { enum: ['wait', 'terminate', null] },
  schedule: {
    oneOf: [
      { type: 'null' },
      unionOf({
        continuous_schedule: objectOf([], { buffer_seconds: optional(whole) }),
        cron_schedule: objectOf(cronFields, Object.fromEntries(cronFields.map((field) => [field, text]))),
      }),
    ],
  },
  task_definitions: { type: 'array', minItems: 1, items: task },
  notifications: {
    type: ['array', 'null'],
    items: unionOf({
      email: objectOf(['name', 'email'], {
        name: text,
        email: text,
        notify_when: {
          enum: ['always', 'on_failure', 'on_state_change', 'on_state_change_and_failures', 'never', null],
        },
      }),
      pagerduty: objectOf(['service_key'], { service_key: text }),
    }),
  },
});

const validate = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true }).compile(definition);

/** Judges a process definition by the rules of Sundial's API. Returns what is wrong, one line each. */
export function judgeDefinition(value: unknown): string[] {
  return validate(value)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
