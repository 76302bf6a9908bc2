# Who deploys from GitHub: one role, which only the workflow of one repository in one of its environments may take. GitHub signs who
# is asking, so there is no key. Without `repository` nothing of this is made.

locals {
  workflow = var.repository == null ? {} : { github = "repo:${var.repository}:environment:${var.environment}" }
  issuer   = "token.actions.githubusercontent.com"
}

resource "aws_iam_openid_connect_provider" "github" {
  for_each       = local.workflow
  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "deployer" {
  for_each             = local.workflow
  name                 = "salesync-deployer"
  description          = "Deploys salesync from GitHub"
  max_session_duration = 3600
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.github[each.key].arn }
      Condition = { StringEquals = { "${local.issuer}:aud" = "sts.amazonaws.com", "${local.issuer}:sub" = each.value } }
    }]
  })
}

# All but identities; of those, the roles of salesync's functions alone.
resource "aws_iam_role_policy_attachment" "deployer" {
  for_each   = local.workflow
  role       = aws_iam_role.deployer[each.key].name
  policy_arn = "arn:aws:iam::aws:policy/PowerUserAccess"
}

resource "aws_iam_role_policy" "deployer" {
  for_each = local.workflow
  name     = "roles"
  role     = aws_iam_role.deployer[each.key].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = [
          "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
          "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies", "iam:PassRole", "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole",
          "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
        ]
        Resource = "arn:aws:iam::${var.account}:role/salesync-*"
      },
      {
        Effect   = "Deny"
        Action   = ["iam:DeleteRolePolicy", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"]
        Resource = "arn:aws:iam::${var.account}:role/salesync-deployer"
      },
    ]
  })
}
