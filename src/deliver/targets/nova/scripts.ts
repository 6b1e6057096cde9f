import type { TextFile } from '../../files.ts';
import { quoteBash } from '../../revision/bash.ts';
import { commonFile, type HostContainer, hookScript, validateBody } from '../../revision/scripts.ts';
import { environmentsDir } from './stack-files.ts';

/** Image archive on the machine, and the image id that it must load. */
export interface LoadedArchive {
  path: string;
  imageId: string;
}

/** Makes the scripts of the bundle. The names are those that Nova's own bundles have. */
export function novaScripts(container: HostContainer, { path, imageId }: LoadedArchive): TextFile[] {
  return [
    commonFile(container, [
      `archive=${quoteBash(path)}`,
      `image_id=${quoteBash(imageId)}`,
      `environments=${environmentsDir}`,
      '',
      instanceFunctions,
    ]),
    hookScript('cleanup_space.sh', cleanUpBody),
    hookScript('deregister_from_elb.sh', deregisterBody),
    hookScript('kill_docker_container.sh', 'remove_container'),
    hookScript('load_docker_container.sh', loadBody),
    hookScript('start_docker_container.sh', startBody),
    hookScript('register_with_elb.sh', registerBody),
    hookScript('validate_service.sh', validateBody),
  ];
}

const instanceFunctions = String.raw`# Sets instance and AWS_DEFAULT_REGION. AWS's own clients read the same variable for another address.
read_instance() {
  local base=${'$'}{AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254} token
  token=$(curl --silent --fail --max-time 10 --request PUT \
    --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$base/latest/api/token") \
    || fail "no metadata of this instance at $base"
  instance=$(read_metadata instance-id)
  AWS_DEFAULT_REGION=$(read_metadata placement/region)
  export AWS_DEFAULT_REGION
}

read_metadata() {
  curl --silent --fail --max-time 10 --header "X-aws-ec2-metadata-token: $token" "$base/latest/meta-data/$1"
}

# Sets group and state of this instance in Auto Scaling; the group is empty where it is in none.
read_group() {
  read -r group state < <(aws autoscaling describe-auto-scaling-instances --instance-ids "$instance" \
    --query 'AutoScalingInstances[0].[AutoScalingGroupName, LifecycleState]' --output text) \
    || fail "Auto Scaling does not answer for $instance"
  if [[ $group == None ]]; then group=; fi
}

wait_for_state() {
  local turn
  for ((turn = 1; turn <= 60; turn += 1)); do
    read_group
    if [[ $state == "$1" ]]; then return; fi
    say "$instance is $state, not yet $1"
    sleep 10
  done
  fail "$instance did not become $1"
}

# Group whose least size deregister_from_elb.sh has lowered.
lowered=/opt/nova/lowered-min-size

change_min_size() {
  local least
  least=$(aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names "$group" \
    --query 'AutoScalingGroups[0].MinSize' --output text)
  aws autoscaling update-auto-scaling-group --auto-scaling-group-name "$group" --min-size "$((least + $1))"
}`;

/**
 * Runs from the revision that is replaced, before anything else: an error would stop every later deployment. Removes
 * its archive and the images of other versions.
 */
const cleanUpBody = `rm --force "$archive"
for tag in $(docker images --format '{{.Repository}}:{{.Tag}}' "$service" || true); do
  if [[ $tag != "$image" ]]; then docker rmi "$tag" >/dev/null 2>&1 || true; fi
done`;

/** Auto Scaling takes an instance on standby out of all load balancers of its group. */
const deregisterBody = `read_instance
read_group
if [[ -z $group || $state != InService ]]; then
  say "$instance is in service in no Auto Scaling group: no load balancer to leave"
  exit 0
fi
read -r least wanted < <(aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names "$group" \\
  --query 'AutoScalingGroups[0].[MinSize, DesiredCapacity]' --output text)
if ((wanted <= least && least > 0)); then
  change_min_size -1
  mkdir -p "\${lowered%/*}"
  echo "$group" >"$lowered"
fi
aws autoscaling enter-standby --instance-ids "$instance" --auto-scaling-group-name "$group" \\
  --should-decrement-desired-capacity >/dev/null
wait_for_state Standby`;

const registerBody = `read_instance
read_group
if [[ -z $group ]]; then
  say "$instance is in no Auto Scaling group: no load balancer to join"
  exit 0
fi
if [[ $state == Standby ]]; then
  aws autoscaling exit-standby --instance-ids "$instance" --auto-scaling-group-name "$group" >/dev/null
  wait_for_state InService
fi
if [[ -f $lowered ]]; then
  change_min_size +1
  rm "$lowered"
fi`;

/**
 * Loads unless the tag is this very image: a tag that is there may be another one. The containerd store's id is the
 * digest of a manifest, which the archive names.
 */
const loadBody = `id_of_tag() { docker image inspect --format '{{.Id}}' "$image" 2>/dev/null || true; }

if [[ $(id_of_tag) == "$image_id" ]]; then
  say "$image is there"
  exit 0
fi
docker load --quiet --input "$archive"
id=$(id_of_tag)
if [[ $id != "$image_id" ]] && ! tar -xOf "$archive" index.json | grep --fixed-strings "\${id:-none}" >/dev/null; then
  fail "$archive gave the image \${id:-none}, not $image_id"
fi`;

/** The tag Environment of the instance is the type of its stack. */
const startBody = `read_instance
environment=$(aws ec2 describe-tags --filters "Name=resource-id,Values=$instance" Name=key,Values=Environment \\
  --query 'Tags[0].Value' --output text)
variables=$environments/$environment/set-env-vars.sh
[[ -f $variables ]] || fail "the tag Environment of $instance is $environment; there is no $variables"
# shellcheck source=/dev/null
. "$variables"
# shellcheck disable=SC2154
docker run --detach --name "$service" --publish "$port:$port" "\${DOCKER_OPTS[@]}" "\${DOCKER_VARS[@]}" "\${DOCKER_VOLS[@]}" \\
  "$image" "\${DOCKER_ARGS[@]}" >/dev/null
say "started $image with the variables of $environment"`;
