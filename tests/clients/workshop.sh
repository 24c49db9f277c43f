#!/usr/bin/env bash
# The workshop "Adding a Load Balancer to ECS", with the AWS CLI alone: a service that runs without one is put behind an
# Application Load Balancer, verified, and scaled.
#
#     workshop.sh VPC SUBNET SUBNET
#
# AWS_ENDPOINT_URL names a simulator that serves scenarios/workshop.yml, at a high speed: everything that is waited for
# here is asked for again and again, without a pause. Prints a line for each step; exits with 1 where one does not hold.
set -euo pipefail
vpc=$1 subnets=("$2" "$3")
cluster=workshop service=web
export AWS_DEFAULT_OUTPUT=text

fail() { printf 'failed: %s\n' "$*" >&2; exit 1; }
# WANTED COMMAND…: until the command prints what it should; a look takes the CLI about half a second of ours
settles() {
    local wanted=$1 said; shift
    for _ in $(seq 100); do
        said=$("$@")
        [[ $said == "$wanted" ]] && return
    done
    fail "$* says '$said', not '$wanted'"
}
service_says() { aws ecs describe-services --cluster $cluster --services $service --query "services[0].$1"; }
health() {
    aws elbv2 describe-target-health --target-group-arn "$group" \
        --query 'sort(TargetHealthDescriptions[].TargetHealth.State)' | tr '\t' ' '
}

group=$(aws elbv2 create-target-group --name workshop-tg --protocol HTTP --port 80 --vpc-id "$vpc" --target-type ip \
    --health-check-path / --health-check-interval-seconds 30 --health-check-timeout-seconds 5 \
    --healthy-threshold-count 2 --unhealthy-threshold-count 2 --query 'TargetGroups[0].TargetGroupArn')
[[ -z $(health) ]] || fail 'a new target group has targets'
balancer=$(aws elbv2 create-load-balancer --name workshop-alb --subnets "${subnets[@]}" --scheme internet-facing \
    --type application --ip-address-type ipv4 --query 'LoadBalancers[0].LoadBalancerArn')
aws elbv2 create-listener --load-balancer-arn "$balancer" --protocol HTTP --port 80 \
    --default-actions "Type=forward,TargetGroupArn=$group" >/dev/null
echo "created $balancer"

# Read back by name, as the workshop does it.
[[ $(aws elbv2 describe-target-groups --names workshop-tg --query 'TargetGroups[0].TargetGroupArn') == "$group" ]] \
    || fail 'the target group is another by its name'
address=$(aws elbv2 describe-load-balancers --names workshop-alb --query 'LoadBalancers[0].DNSName')
echo "your application is available at http://$address"

aws ecs update-service --cluster $cluster --service $service --force-new-deployment \
    --load-balancers "targetGroupArn=$group,containerName=nginx,containerPort=80" >/dev/null
settles healthy health
settles '1	COMPLETED' service_says '[length(deployments), deployments[0].rolloutState]'
echo 'attached: its target is healthy'

forwards=$(aws elbv2 describe-listeners --load-balancer-arn "$balancer" \
    --query "Listeners[?Port==\`80\`].DefaultActions[0].TargetGroupArn")
[[ $forwards == "$group" ]] || fail "the listener forwards to $forwards"
registered=$(service_says "events[?contains(message, 'registered 1 targets in (target-group $group)')] | length(@)")
[[ $registered == 1 ]] || fail "$registered events tell of the registration"
echo 'verified: the listener forwards to it, and an event tells of its registration'

aws ecs update-service --cluster $cluster --service $service --desired-count 3 >/dev/null
settles '3	3	0' service_says '[desiredCount, runningCount, pendingCount]'
settles 'healthy healthy healthy' health
tasks=$(aws ecs list-tasks --cluster $cluster --service-name $service --query 'length(taskArns)')
[[ $tasks == 3 ]] || fail "$tasks tasks are listed"
echo 'scaled: three targets are healthy'

scalable=(--service-namespace ecs --resource-id "service/$cluster/$service" --scalable-dimension ecs:service:DesiredCount)
aws application-autoscaling register-scalable-target "${scalable[@]}" --min-capacity 4 --max-capacity 5 >/dev/null
settles '4	4' service_says '[desiredCount, runningCount]'
echo 'bounded: the minimum of four has raised the desired count'
