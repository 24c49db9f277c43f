#!/usr/bin/env bash
# cfn-lint 1.58.0, E3049: a dynamic host port behind a load balancer takes health checks on `traffic-port`, because a fixed
# health-check port can never be right. The rule sees `HostPort: 0`. A port mapping of the network mode bridge without
# HostPort means the same (API reference, PortMapping: "you can omit the hostPort (or set it to 0) while
# specifying a containerPort and your container automatically receives a port in the ephemeral port range"), and bridge is the default network mode. There it is silent.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check cfn-lint==1.58.0
template() {
    cat <<TEMPLATE
Resources:
  Targets:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {Port: 80, Protocol: HTTP, VpcId: vpc-12345678, HealthCheckPort: "8080"}
  Definition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: web
      ContainerDefinitions:
        - {Name: web, Image: "nginx:1", Memory: 128, PortMappings: [{ContainerPort: 80$1}]}
  Service:
    Type: AWS::ECS::Service
    Properties:
      TaskDefinition: !Ref Definition
      LoadBalancers: [{ContainerName: web, ContainerPort: 80, TargetGroupArn: !Ref Targets}]
TEMPLATE
}
"$dir/venv/bin/cfn-lint" --version
template ', HostPort: 0' > "$dir/zero.yaml"
template '' > "$dir/omitted.yaml"
if "$dir/venv/bin/cfn-lint" "$dir/zero.yaml" > "$dir/zero.txt"; then echo 'HostPort 0 passes: changed'; exit 1; fi
grep --quiet E3049 "$dir/zero.txt"
echo 'HostPort: 0 with HealthCheckPort 8080: E3049'
"$dir/venv/bin/cfn-lint" "$dir/omitted.yaml" > "$dir/omitted.txt" || { cat "$dir/omitted.txt"; echo 'changed'; exit 1; }
echo 'no HostPort with HealthCheckPort 8080: nothing'
