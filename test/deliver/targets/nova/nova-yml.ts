import type { Template } from '../../../../src/deliver/template.ts';
import { fileTemplate } from '../../delivery-input.ts';

export interface NovaText {
  serviceName?: string;
  port?: number;
  /** Lines of the stack production, with six blanks in front of each. */
  settings?: string;
  /** Lines below the first environment, of a further one. */
  more?: string;
}

/** Writes a nova.yml of one environment with the stacks production and live-canary. */
export function novaText({ serviceName = 'hello', port = 8080, settings = '', more = '' }: NovaText = {}): string {
  return `service_name: ${serviceName}
team_name: platform
port: ${port}
healthcheck_url: /health
environments:
- name: main
  aws_profile: default
  aws_region: us-east-1
  deploy_arn: arn:aws:iam::123456789012:role/deploy
  deployment_bucket: deployments
  deployment_application_id: hello
  stacks:
    - stack_name: prod
      stack_type: production
      stack_deploy_config: OneAtATime
      deployment_group: production
${settings}    - stack_name: canary
      stack_type: live-canary
      stack_deploy_config: AllAtOnce
      deployment_group: live-canary
${more}`;
}

export function novaTemplate(text: NovaText = {}): Template {
  return fileTemplate('nova.yml', novaText(text));
}
