"""Roles that are assumed with an ID token."""

import base64
import json


def walk(sts, check):
    claims = {"iss": "https://token.actions.githubusercontent.com", "sub": "repo:octo/shop:ref:refs/heads/main",
              "aud": "sts.amazonaws.com"}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    asked = {"RoleArn": "arn:aws:iam::111122223333:role/ci/deploy", "RoleSessionName": "walk"}
    given = sts.assume_role_with_web_identity(WebIdentityToken=f"e30.{payload}.c2ln", DurationSeconds=900, **asked)
    arn, subject = given["AssumedRoleUser"]["Arn"], given["SubjectFromWebIdentityToken"]
    if (arn, subject) != ("arn:aws:sts::111122223333:assumed-role/deploy/walk", claims["sub"]):
        check.violate("AssumeRoleWithWebIdentity", "", f"is for {subject} as {arn}")
    check.refuses(sts.assume_role_with_web_identity, "InvalidIdentityToken",
                  "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
                  WebIdentityToken="no-token", **asked)
